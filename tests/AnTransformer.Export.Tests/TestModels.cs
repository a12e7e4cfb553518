using System.Text;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Training.Tokenization.BytePairs;
using static TorchSharp.torch;

namespace AnTransformer.Export.Tests;

/// <summary>Small models, random or trained for some steps on Jane Austen, with the tokenizer of such text.</summary>
internal static class TestModels
{
    public const int Context = 64;

    /// <summary>The bundled sample.</summary>
    public static readonly string Text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "data", "austen.txt"));

    private static readonly Lazy<BytePairTokenizer> LazyTokenizer = new(() => BytePairTrainer.Train(
        [Encoding.UTF8.GetBytes(Text[..200_000])], new BytePairTrainerOptions { VocabularySize = 512 }).Tokenizer);

    /// <summary>A byte-level BPE of 512 entries, as `angpt train` learns one.</summary>
    public static BytePairTokenizer Tokenizer => LazyTokenizer.Value;

    /// <summary>What can be exported to other programs' standard architectures, by name.</summary>
    public static IReadOnlyDictionary<string, ModelConfig> Standard { get; } = new Dictionary<string, ModelConfig>(StringComparer.Ordinal)
    {
        ["gpt"] = Config("gpt"),
        ["gpt with qk norm"] = Config("gpt") with { QkNorm = true },
        ["gpt grouped"] = Config("gpt") with { NumKeyValueHeads = 2, HeadDim = 32 },
        ["gpt tied"] = Config("gpt") with { TieWordEmbeddings = true },
        ["gpt+"] = Config("gpt+"),
        ["gpt+ grouped"] = Config("gpt+") with { NumKeyValueHeads = 1, HeadDim = 32 },
        ["gpt+ tied"] = Config("gpt+") with { TieWordEmbeddings = true },
        ["angpt"] = Config("angpt"),
        ["angpt without qk norm"] = Config("angpt") with { QkNorm = false },
        ["angpt grouped"] = Config("angpt") with { NumKeyValueHeads = 2, HeadDim = 32 },
        ["angpt tied"] = Config("angpt") with { TieWordEmbeddings = true },
    };

    public static ModelConfig Config(string architecture) => ArchitectureRegistry.CreateConfig(
        architecture, vocabSize: 512, hiddenSize: 64, numAttentionHeads: 4, numHiddenLayers: 3, maxPositionEmbeddings: Context,
        intermediateSize: 96);

    /// <summary>A checkpoint of a random model whose vectors are random, too: scales, gains, α from 0.02 to 0.5.</summary>
    public static string Random(ModelConfig config, string directory, ScalarType dtype = ScalarType.Float32, bool withTokenizer = true)
    {
        using var model = LanguageModel.Create(config, new ModelContext(CPU, dtype, dtype));
        model.Initialize(seed: 5);
        using (no_grad())
        {
            using var scope = NewDisposeScope();
            manual_seed(7);
            foreach (var (name, parameter) in model.NamedParameters().Where(item => item.Parameter.dim() == 1))
            {
                var uniform = rand(parameter.shape, dtype: dtype);
                parameter.copy_(name.EndsWith("alpha", StringComparison.Ordinal)
                    ? (0.02 + (0.48 * uniform)) * (config.Alpha.Scale / config.Alpha.Init)
                    : parameter * (0.5 + uniform));
            }
        }

        return Save(model, directory, withTokenizer);
    }

    /// <summary>A checkpoint of a model trained for some steps on Jane Austen.</summary>
    public static string Trained(ModelConfig config, string directory, int steps = 60)
    {
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(seed: 5);
        using var optimizer = new Optimizer(model);
        var training = new TrainingStep(model, optimizer);
        var schedule = LearningRateSchedule.For(config, peak: 1e-2, steps);
        var ids = Tokenizer.Encode(Text[..200_000]).Select(id => (long)id).ToArray();
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var sequences = Enumerable.Range(0, 8).Select(i => ids.AsSpan(((step * 8) + i) * Context, Context + 1).ToArray());
            var batch = stack(sequences.Select(sequence => tensor(sequence)));
            training.Run(batch[.., ..^1].contiguous(), batch[.., 1..].contiguous(), schedule.At(step));
        }

        return Save(model, directory, withTokenizer: true);
    }

    /// <summary>Logits [T][V] of a checkpoint, in double precision.</summary>
    public static double[][] Logits(string checkpoint, IReadOnlyList<int> tokens, ScalarType dtype = ScalarType.Float64)
    {
        using var scope = NewDisposeScope();
        using var noGrad = inference_mode();
        using var model = ModelCheckpoint.Load(checkpoint, new ModelContext(CPU, dtype, dtype));
        var logits = model.forward(tensor(tokens.Select(id => (long)id).ToArray()).unsqueeze(0)).to(ScalarType.Float64);
        return [.. logits.squeeze(0).unbind().Select(row => row.contiguous().data<double>().ToArray())];
    }

    /// <summary>Ids without order.</summary>
    public static int[] RandomTokens(int count, int vocabSize, int seed = 3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabSize))];
    }

    /// <summary>The largest difference, and with <paramref name="relative"/> over the largest expected magnitude.</summary>
    public static double Difference(IReadOnlyList<double[]> actual, IReadOnlyList<double[]> expected, bool relative = false)
    {
        Assert.Equal(expected.Count, actual.Count);
        var (largest, magnitude) = (0.0, 0.0);
        for (var t = 0; t < expected.Count; t++)
        {
            Assert.Equal(expected[t].Length, actual[t].Length);
            for (var i = 0; i < expected[t].Length; i++)
            {
                Assert.True(double.IsFinite(actual[t][i]));
                largest = Math.Max(largest, Math.Abs(actual[t][i] - expected[t][i]));
                magnitude = Math.Max(magnitude, Math.Abs(expected[t][i]));
            }
        }

        return relative ? largest / magnitude : largest;
    }

    /// <summary>Mean negative log-likelihood of each token after the first.</summary>
    public static double Loss(IReadOnlyList<double[]> logits, IReadOnlyList<int> tokens)
    {
        var sum = 0.0;
        for (var t = 0; t + 1 < tokens.Count; t++)
        {
            var largest = logits[t].Max();
            sum += largest + Math.Log(logits[t].Sum(value => Math.Exp(value - largest))) - logits[t][tokens[t + 1]];
        }

        return sum / (tokens.Count - 1);
    }

    public static ExportReport Export(
        string checkpoint, string target, string format, ExportDtype dtype = ExportDtype.F32, bool fold = false)
        => ModelExport.Write(checkpoint, target, ExporterRegistry.Get(format), dtype, fold);

    private static string Save(LanguageModel model, string directory, bool withTokenizer)
    {
        Directory.CreateDirectory(directory);
        ModelCheckpoint.Save(model, directory);
        if (withTokenizer)
            Tokenizer.Save(directory);
        return directory;
    }
}
