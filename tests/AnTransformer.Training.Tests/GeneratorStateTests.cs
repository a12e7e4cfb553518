using AnTransformer.Checkpoints;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;
using static TorchSharp.torch;

namespace AnTransformer.Training.Tests;

/// <summary>LibTorch's generator of random numbers, of which the process has one: nothing else runs beside these tests.</summary>
[CollectionDefinition(nameof(GeneratorStateTests), DisableParallelization = true)]
[Collection(nameof(GeneratorStateTests))]
public sealed class GeneratorStateTests : IDisposable
{
    private readonly TinyRun _run = new();

    [Fact]
    public void A_resumed_run_goes_on_with_the_generator_that_its_checkpoint_holds()
    {
        var configuration = _run.Configuration();
        TinyRun.Train(configuration, new TinyListener { AfterStep = Draw });
        var first = State(10);

        TinyRun.Train(SavedRun.Load(_run.In("run"), [("training.steps", "20")]), further: true);
        Assert.Equal(first, State(20));

        // Training itself draws nothing, so a generator that was only seeded again would stand elsewhere.
        static void Draw(StepReport report)
        {
            if (report.Step == 5)
                rand(1).Dispose();
        }
    }

    public void Dispose() => _run.Dispose();

    private byte[] State(long step)
    {
        using var file = SafetensorsFile.Open(Path.Combine(_run.Checkpoint(step), "optimizer.safetensors"));
        return file.GetBytes("rng_state").ToArray();
    }
}
