using AnTransformer.Configuration;
using AnTransformer.Graphs;

namespace AnTransformer.Export.Standard;

/// <summary>Finds the Llama or Qwen3 model that computes what a graph does, or says why there is none.</summary>
internal static class StandardModelBuilder
{
    private const string Remedy = "export it with --format onnx";

    /// <summary>Builds the model, and settles the constants of norms that are to be the identity on tokens.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="dtype">The type that matrices are written in.</param>
    /// <exception cref="InvalidInputException">No Llama or Qwen3 model computes that in that type.</exception>
    public static StandardModel Build(ExportSource source, ExportDtype dtype)
    {
        var model = Build(source.Graph, dtype, source.Path);
        if (model.Identity is not { } identity)
            return model;
        var run = StandardModelRun.Of(model, source.Rows);
        identity = identity.Balance(run.LargestStream, run.SmallestQueryKey);
        var wider = dtype is ExportDtype.F32
            ? "export with --format onnx"
            : "export with a wider --dtype, or with --format onnx";
        if (!identity.Holds)
        {
            throw new InvalidInputException(FormattableString.Invariant(
                $"{source.Path}: in {dtype.Name()} a norm that has to leave the stream alone would ")
                + FormattableString.Invariant($"change it by {identity.StreamError:g2}, ")
                + FormattableString.Invariant(
                    $"or one of queries and keys be off by {identity.QueryKeyError:g2}, of which ")
                + FormattableString.Invariant($"{identity.Tolerance:g2} is allowed; {wider}."));
        }

        if (dtype is ExportDtype.F16 && run.LargestQueryKey > dtype.Largest())
        {
            throw new InvalidInputException(FormattableString.Invariant(
                $"{source.Path}: in {dtype.Name()} queries or keys, scaled for their norm, would ")
                + FormattableString.Invariant(
                    $"reach {run.LargestQueryKey:g3}, more than the type can hold; {wider}."));
        }

        var gain = new double[model.Config.HiddenSize];
        Array.Fill(gain, identity.Gain);
        return model with
        {
            Epsilon = identity.Epsilon,
            Blocks = [.. model.Blocks.Select(block => block with { AttentionNorm = gain, MlpNorm = gain })],
            FinalNorm = gain,
            Identity = identity,
            Tokens = run.Tokens,
        };
    }

    private static StandardModel Build(DecoderGraph graph, ExportDtype dtype, string place)
    {
        RequireAttention(graph.Config, place);
        graph = GraphFolding.Fold(graph, dtype.WidestFolding());
        RequireSums(graph, place);
        var inputs = graph.Blocks.SelectMany(block => (InputFunction[])[block.Attention.Input, block.Mlp.Input])
            .Append(graph.HeadInput).ToList();
        var identity = inputs.All(input => input is IdentityFunction) ? IdentityNorm.For(dtype) : null;
        if (identity is null && inputs.FirstOrDefault(input => input is not RmsNormFunction) is { } other)
            throw Unsupported(graph, place, $"reads the stream through {Describe(other)}");
        var epsilons = inputs.OfType<RmsNormFunction>().Select(norm => norm.Epsilon)
            .Concat(
                graph.Blocks.Select(block => block.Attention.QueryKey).OfType<RmsQueryKey>()
                    .Select(norm => norm.Epsilon))
            .Distinct().ToList();
        if (epsilons.Count > 1 || (identity is not null && epsilons.Count > 0))
            throw Unsupported(graph, place, "has norms of different ε");

        var kinds = graph.Blocks.Select(block => IsNormalized(block.Attention.QueryKey)).Distinct().Count();
        if (kinds != 1)
            throw Unsupported(graph, place, "normalizes queries and keys in some blocks only");
        return new StandardModel(
            graph.Config,
            identity?.Epsilon ?? epsilons[0],
            graph.Embedding,
            [.. graph.Blocks.Select(block => Build(block, graph, identity, place))],
            Gain(graph.HeadInput, graph.Config, identity),
            graph.Head == graph.Embedding ? null : graph.Head)
        {
            Identity = identity,
        };
    }

    private static StandardBlock Build(BlockGraph block, DecoderGraph graph, IdentityNorm? identity, string place)
    {
        var (attention, mlp) = block;
        var headSize = graph.Config.HeadSize;
        // These architectures' softmax has the scale 1/√d_h: what is left of another one goes to the queries.
        var toQuery = attention.SoftmaxScale * Math.Sqrt(headSize);
        var (query, key) = (attention.Query, attention.Key);
        double[]? queryNorm = null, keyNorm = null;
        switch (attention.QueryKey)
        {
            case RotaryOnly or UnitQueryKey { Normalize: false, Scales: null }:
                query = query with { Factor = query.Factor * toQuery };
                break;
            case RmsQueryKey norm:
                (queryNorm, keyNorm) = (Array.ConvertAll(norm.QueryGain, gain => gain * Snap(toQuery)), norm.KeyGain);
                break;
            case UnitQueryKey { Normalize: true, Scales: null }:
                // L2(x) = RMSNorm(x) / √d_h, for queries and for keys; the norm is the same before RoPE as after it. No
                // power of two remains but S: any other factor of what is normalized would be rounded to no purpose.
                (queryNorm, keyNorm) = (new double[headSize], new double[headSize]);
                Array.Fill(queryNorm, Snap(toQuery / headSize));
                Array.Fill(keyNorm, 1);
                var scale = (identity ?? throw Unsupported(
                    graph, place, "has layer norms beside unit queries")).QueryKeyScale;
                (query, key) = (query with { Factor = query.Factor * scale }, key with { Factor = key.Factor * scale });
                break;
            default:
                throw Unsupported(graph, place, "scales each channel of queries and keys");
        }

        return new StandardBlock(
            Gain(attention.Input, graph.Config, identity),
            query,
            key,
            attention.Value,
            queryNorm,
            keyNorm,
            attention.Output,
            Gain(mlp.Input, graph.Config, identity),
            mlp.Gate,
            mlp.Up,
            mlp.Down);
    }

    // √d_h · √d_h / d_h is 1, whatever the last digit of a root.
    private static double Snap(double factor) => Math.Abs(factor - 1) < 1e-12 ? 1 : factor;

    private static bool IsNormalized(QueryKeyFunction function)
        => function is RmsQueryKey or UnitQueryKey { Normalize: true };

    private static double[] Gain(InputFunction input, ModelConfig config, IdentityNorm? identity)
    {
        if (input is RmsNormFunction norm)
            return norm.Gain;
        var gain = new double[config.HiddenSize];
        Array.Fill(gain, identity!.Gain);
        return gain;
    }

    private static void RequireAttention(ModelConfig config, string place)
    {
        if (!config.IsCausal)
        {
            throw new InvalidInputException(
                $"{place}: attention is not causal (is_causal false), and Llama and Qwen3 are decoders; there is no "
                    + "such export.");
        }

        if (config.SlidingWindow < config.MaxPositionEmbeddings)
        {
            throw new InvalidInputException(
                $"{place}: attention has a sliding window of {config.SlidingWindow} tokens, which llama.cpp's Llama "
                    + "and Qwen3 do not have; "
                + $"{Remedy}.");
        }
    }

    private static void RequireSums(DecoderGraph graph, string place)
    {
        foreach (var update in graph.Blocks.SelectMany(
            block => (ResidualUpdate[])[block.Attention.Update, block.Mlp.Update]))
        {
            if (update is not ResidualSum)
            {
                throw Unsupported(graph, place, update switch
                {
                    SphereUpdate => "normalizes the stream after every update",
                    NormalizedResidualSum => "normalizes what a block adds to the stream",
                    _ => "joins blocks to the stream in another way",
                });
            }
        }
    }

    private static string Describe(InputFunction input) => input switch
    {
        TanhFunction => "tanh",
        ErfFunction => "erf",
        IdentityFunction => "a norm in some places only",
        _ => "another function",
    };

    private static InvalidInputException Unsupported(DecoderGraph graph, string place, string what)
        => new($"{place}: {graph.Config.Architecture} {what}, which neither Llama nor Qwen3 does; {Remedy}.");
}
