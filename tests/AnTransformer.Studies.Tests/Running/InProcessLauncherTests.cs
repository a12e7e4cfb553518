using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sharing;
using AnTransformer.Studies.Sweeps;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Tests.Running;

public sealed class InProcessLauncherTests : IDisposable
{
    private readonly StudyBench _bench = new();

    [Fact]
    public void A_program_can_run_a_study_without_the_command_line()
    {
        File.WriteAllText(Path.Combine(_bench.Folder, "corpus.txt"), string.Concat(Enumerable.Range(0, 2000).Select(i => $"{i * i} is the square of {i}.\n\n")));
        var settings = ConfigurationBinder.Parse<SweepConfiguration>(
            $$"""
            fields: ["model.architecture=gpt,angpt"]
            seeds: [1]
            base:
              model: {hidden_size: 16, num_attention_heads: 2, num_hidden_layers: 1, max_position_embeddings: 16}
              data: {text: ["{{_bench.Folder}}/corpus.txt"], path: "{{_bench.Folder}}/data", section_bytes: 512, validation_fraction: 0.2}
              tokenizer: {kind: bytes}
              training: {steps: 4, batch_size: 2}
              evaluation: {batches: 1}
            """,
            "study.yaml",
            [],
            out var placeOf);
        var listener = new Silent();
        var study = new SweepStudy(settings, new BaseConfiguration(settings, placeOf, []), new StudyData(listener, CancellationToken.None));
        var state = _bench.Run(study.Plan, new InProcessLauncher(listener)).State;
        Assert.True(state.IsComplete);
        Assert.All(state.Finished, item => Assert.InRange(item.Result.ValLoss!.Value, 1, 8));
        Assert.All(state.Finished, item => Assert.Equal(257, item.Run.Plan.Model.VocabSize));
    }

    [Fact]
    public void A_run_that_cannot_begin_has_failed()
    {
        var claim = RunClaim.TryTake(_bench.Folder, "me", _ => false)!;
        var launcher = new InProcessLauncher(new Silent());
        Assert.Equal(
            RunEnding.Failed,
            launcher.Launch(Path.Combine(_bench.Folder, "missing.yaml"), claim, _bench.Stop.Token).Ending);
    }

    public void Dispose() => _bench.Dispose();

    private sealed class Silent : ITrainingListener
    {
        public void OnMessage(string message)
        {
        }

        public void OnWarning(string message)
        {
        }

        public void OnProgress(string task, double share, string detail)
        {
        }

        public void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
        {
        }

        public void OnStep(StepReport report)
        {
        }

        public void OnEvaluation(long step, EvaluationResult result, bool isBest)
        {
        }
    }
}
