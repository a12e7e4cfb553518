using AnTransformer.Distributed;
using AnTransformer.Distributed.Nccl;
using AnTransformer.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Distributed;

/// <summary>The library itself, where there are a GPU and it: its calls have the forms that the binding gives them.</summary>
public sealed unsafe class CudaNcclTests
{
    /// <summary>One process is a job of its own; several need as many GPUs.</summary>
    [Fact]
    public void A_sum_over_one_process_leaves_its_numbers_and_touches_no_other()
    {
        Assert.SkipUnless(cuda_is_available(), "There is no CUDA device.");
        using var values = ones(1000, device: CUDA);
        using var group = new NcclGroup(ProcessGroup.Single, NcclLibrary.Load());
        for (var round = 0; round < 2; round++)
        {
            values.mul_(2);
            Assert.True(group.StartSum(TensorMemory.Floats(values), 999, GradientDtype.Fp32).IsCompletedSuccessfully);
        }

        Assert.All(values.cpu().data<float>().ToArray(), value => Assert.Equal(4, value));
    }
}
