using AnTransformer.Checkpoints;
using AnTransformer.Inference;
using AnTransformer.Training.Devices;
using static TorchSharp.torch;

namespace AnTransformer.Cli.Benchmarking.Generation;

/// <summary>Logits of the same tokens by LibTorch and by a contestant, whole and token by token.</summary>
/// <param name="Name">The contestant.</param>
/// <param name="Difference">Largest difference over the largest logit.</param>
/// <param name="Tolerance">What is allowed.</param>
internal sealed record GenerationEquality(string Name, double Difference, double Tolerance)
{
    private const int Tokens = 48;

    /// <summary>Whether they agree.</summary>
    public bool Passed => Difference <= Tolerance;

    /// <summary>Compares a contestant.</summary>
    /// <param name="contestant">It.</param>
    /// <param name="seed">Seed of the tokens.</param>
    public static GenerationEquality Check(GenerationContestant contestant, int seed)
    {
        var config = contestant.Model.Config;
        var random = new Random(seed);
        var tokens = Enumerable.Range(0, Math.Min(Tokens, config.MaxPositionEmbeddings))
            .Select(_ => random.Next(config.VocabSize)).ToArray();
        var expected = ByLibTorch(contestant.Directory, tokens);
        var (largest, difference) = (0.0, 0.0);
        using (var session = contestant.Model.CreateSession())
            session.Read(tokens, Compare);
        using (var session = contestant.Model.CreateSession())
        {
            for (var i = 0; i < tokens.Length; i++)
                Compare(i, session.Decode(tokens[i]));
        }

        return new GenerationEquality(contestant.Name, difference / largest, ToleranceOf(contestant.Dtype));

        void Compare(int position, ReadOnlySpan<float> logits)
        {
            for (var i = 0; i < logits.Length; i++)
            {
                var value = expected[(position * logits.Length) + i];
                largest = Math.Max(largest, Math.Abs(value));
                difference = Math.Max(difference, Math.Abs(value - logits[i]));
            }
        }
    }

    // Rounding of weights, not of sums, is what packed dtypes lose.
    private static double ToleranceOf(WeightDtype dtype) => dtype == WeightDtype.F32 ? 1e-4 : 0.1;

    private static float[] ByLibTorch(string directory, int[] tokens)
    {
        using var model = ModelCheckpoint.Load(directory, ComputeDevice.Context("cpu", "fp32"));
        using var noGrad = inference_mode();
        using var scope = NewDisposeScope();
        var input = tensor(Array.ConvertAll(tokens, id => (long)id)).unsqueeze(0);
        return model.forward(input).to(ScalarType.Float32).data<float>().ToArray();
    }
}
