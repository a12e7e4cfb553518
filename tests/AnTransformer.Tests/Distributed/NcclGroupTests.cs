using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Distributed.Nccl;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Distributed;

/// <summary>NCCL's calls against a stand-in whose devices are this process's memory; no GPU has seen them.</summary>
public sealed unsafe class NcclGroupTests
{
    private const int Failure = 5;
    private static readonly Lock Gate = new();
    private static readonly List<byte[]> Ids = [];
    private static readonly List<nint> Ended = [];
    private static readonly nint[] Sent = new nint[8];
    private static Barrier? _meeting;
    private static int _result;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Ranks_find_each_other_by_one_id_and_sum_where_the_numbers_lie(int size)
    {
        Run(size, group =>
        {
            var values = new float[1000];
            Array.Fill(values, group.Rank + 1);
            fixed (float* first = values)
                Assert.True(group.StartSum(first, 999, GradientDtype.Fp32).IsCompletedSuccessfully);
            Assert.Equal(size * (size + 1) / 2, values[998]);
            Assert.Equal(group.Rank + 1, values[999]);
            Assert.True(group.Any(group.Rank == 1));
        });
        Assert.Equal(size, Ids.Count);
        Assert.All(Ids, id => Assert.Equal(Enumerable.Range(0, NcclUniqueId.Size).Select(index => (byte)index), id));
        Assert.Equal(Enumerable.Range(1, size), Ended.Select(communicator => (int)communicator).Order());
    }

    [Fact]
    public void What_fails_there_is_said()
    {
        _result = Failure;
        try
        {
            Run(2, group =>
            {
                var error = Assert.Throws<IOException>(() => Start(group, new float[1]));
                Assert.Equal("ncclAllReduce failed: no link; the job cannot go on.", error.Message);
            });
        }
        finally
        {
            _result = 0;
        }
    }

    /// <summary>The path of a step on GPUs, but for where the memory is.</summary>
    [Fact]
    public void A_step_whose_sums_the_library_makes_trains_what_one_rank_does()
    {
        var alone = Train(ProcessGroup.Single);
        var weights = new float[2][];
        Run(2, group => weights[group.Rank] = Train(group));
        Assert.Equal(weights[0], weights[1]);
        Assert.All(alone.Zip(weights[0]), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    [Theory]
    [InlineData("OMPI_COMM_WORLD_LOCAL_RANK=1", "1")]
    [InlineData("SLURM_LOCALID=2 CUDA_VISIBLE_DEVICES=4,5,6", "6")]
    [InlineData("SLURM_LOCALID=2 CUDA_VISIBLE_DEVICES=4", null)]
    [InlineData("CUDA_VISIBLE_DEVICES=4,5", null)]
    public void Each_process_of_a_host_sees_a_device_of_its_own(string environment, string? device)
    {
        var values = environment.Split(' ').Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal(device, VisibleDevice.Of(values.GetValueOrDefault));
    }

    [Fact]
    public void What_gpus_do_not_do_together_is_refused()
        => Run(2, group =>
        {
            var config = ArchitectureRegistry.CreateConfig("angpt", 43, 20, 2, 2, 9, 37);
            using var model = LanguageModel.Create(config, ModelContext.Default);
            Assert.Throws<InvalidInputException>(() => new GradientSharing(model, group, GradientDtype.Bf16));
            Assert.Throws<InvalidInputException>(() => new GradientSharing(model, group, deterministic: true));
        });

    private static void Start(ProcessGroup group, float[] values)
    {
        fixed (float* first = values)
            _ = group.StartSum(first, values.Length, GradientDtype.Fp32);
    }

    private static float[] Train(ProcessGroup group)
    {
        using var scope = NewDisposeScope();
        var config = ArchitectureRegistry.CreateConfig("angpt", 43, 20, 2, 2, 8, 37);
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(seed: 5);
        using var optimizer = new Optimizer(model);
        using var sharing = new GradientSharing(model, group);
        var share = BatchShare.Of(4, 1, group.Rank, group.Size);
        var step = new TrainingStep(model, optimizer, share.MicroBatches.Count, sharing: sharing);
        var random = new Random(1);
        for (var number = 0; number < 3; number++)
        {
            var ids = tensor(Enumerable.Range(0, 4 * 9).Select(_ => (long)random.Next(43)).ToArray()).view(4, 9);
            foreach (var (first, count) in share.MicroBatches)
            {
                var part = ids.narrow(0, first, count);
                step.ForwardBackward(part[.., ..8].contiguous(), part[.., 1..].contiguous(), 4.0 / count);
            }

            step.Update(1e-3);
        }

        return model.Store.Values().data<float>().ToArray();
    }

    private static void Run(int size, Action<ProcessGroup> program)
    {
        lock (Gate)
        {
            Ids.Clear();
            Ended.Clear();
            _meeting = new Barrier(size);
            ThreadTransport.Run(size, control =>
            {
                var group = new NcclGroup(control, new NcclLibrary(Function));
                program(group);
                group.Dispose();
            });
            _meeting.Dispose();
        }
    }

    private static nint Function(string name) => name switch
    {
        "ncclGetUniqueId" => (nint)(delegate* unmanaged[Cdecl]<NcclUniqueId*, int>)&GetUniqueId,
        "ncclCommInitRank" => (nint)(delegate* unmanaged[Cdecl]<nint*, int, NcclUniqueId, int, int>)&CommInitRank,
        "ncclAllReduce" => (nint)(delegate* unmanaged[Cdecl]<float*, float*, nuint, int, int, nint, nint, int>)&AllReduce,
        "ncclCommGetAsyncError" => (nint)(delegate* unmanaged[Cdecl]<nint, int*, int>)&GetAsyncError,
        "ncclCommAbort" or "ncclCommDestroy" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&End,
        "ncclGetErrorString" => (nint)(delegate* unmanaged[Cdecl]<int, nint>)&ErrorString,
        _ => throw new EntryPointNotFoundException(name),
    };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetUniqueId(NcclUniqueId* id)
    {
        for (var index = 0; index < NcclUniqueId.Size; index++)
            id->Bytes[index] = (byte)index;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CommInitRank(nint* communicator, int ranks, NcclUniqueId id, int rank)
    {
        lock (Ids)
            Ids.Add(id.Bytes.ToArray());
        *communicator = rank + 1;
        return ranks == _meeting!.ParticipantCount ? 0 : Failure;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int AllReduce(
        float* send, float* receive, nuint count, int type, int operation, nint communicator, nint stream)
    {
        if (_result != 0 || type != 7 || operation != 0 || stream != 0)
            return Failure;
        Sent[communicator - 1] = (nint)send;
        _meeting!.SignalAndWait();
        var sums = new float[count];
        for (var rank = 0; rank < _meeting.ParticipantCount; rank++)
        {
            for (nuint index = 0; index < count; index++)
                sums[index] += ((float*)Sent[rank])[index];
        }

        _meeting.SignalAndWait();
        sums.CopyTo(new Span<float>(receive, (int)count));
        _meeting.SignalAndWait();
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetAsyncError(nint communicator, int* error)
    {
        *error = 0;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int End(nint communicator)
    {
        lock (Ended)
            Ended.Add(communicator);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint ErrorString(int code) => Marshal.StringToCoTaskMemUTF8("no link");
}
