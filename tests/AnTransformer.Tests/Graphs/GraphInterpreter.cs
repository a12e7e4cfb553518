using AnTransformer.Checkpoints;
using AnTransformer.Graphs;

namespace AnTransformer.Tests.Graphs;

/// <summary>A decoder graph evaluated number by number in float64: slow, and with nothing in common with the kernels.</summary>
internal sealed class GraphInterpreter(DecoderGraph graph, SafetensorsFile weights)
{
    /// <summary>Logits of every position of one sequence, [T][V].</summary>
    public double[][] Logits(ReadOnlySpan<long> tokens)
    {
        var embedding = Values(graph.Embedding);
        var h = new double[tokens.Length][];
        for (var t = 0; t < h.Length; t++)
            h[t] = embedding[tokens[t]];
        foreach (var block in graph.Blocks)
        {
            var attended = Attend(block.Attention, [.. h.Select(row => Apply(block.Attention.Input, row))]);
            h = [.. h.Zip(attended, (row, x) => Apply(block.Attention.Update, row, x))];
            h = [.. h.Select(row => Apply(block.Mlp.Update, row, Mlp(block.Mlp, Apply(block.Mlp.Input, row))))];
        }

        var head = Values(graph.Head);
        return [.. h.Select(row => Product(head, Apply(graph.HeadInput, row)))];
    }

    private static double[] Mlp(double[][] gate, double[][] up, double[][] down, double[] x)
        => Product(down, [.. Product(gate, x).Zip(Product(up, x), (g, u) => u * g / (1 + Math.Exp(-g)))]);

    private double[] Mlp(MlpGraph mlp, double[] x) => Mlp(Values(mlp.Gate), Values(mlp.Up), Values(mlp.Down), x);

    private double[][] Attend(AttentionGraph attention, double[][] x)
    {
        var shape = graph.Config.Attention;
        var (size, group) = (shape.HeadSize, shape.GroupSize);
        var (wq, wk, wv, wo) = (
            Values(attention.Query), Values(attention.Key), Values(attention.Value), Values(attention.Output));
        var result = new double[x.Length][];
        var queries = x.Select(row => Product(wq, row)).ToArray();
        var keys = x.Select(row => Product(wk, row)).ToArray();
        var values = x.Select(row => Product(wv, row)).ToArray();
        for (var t = 0; t < x.Length; t++)
        {
            var y = new double[shape.QueryWidth];
            for (var head = 0; head < shape.Heads; head++)
            {
                var shared = head / group;
                var q = Apply(attention.QueryKey, Part(queries[t], head, size), t, shared, isQuery: true);
                var seen = Enumerable.Range(0, x.Length).Where(s =>
                    (!shape.Causal || s <= t) && (shape.Window is not { } window || t - s < window)).ToList();
                var likely = seen.ConvertAll(s => Math.Exp(attention.SoftmaxScale
                    * Dot(q, Apply(attention.QueryKey, Part(keys[s], shared, size), s, shared, isQuery: false))));
                foreach (var (s, weight) in seen.Zip(likely))
                {
                    for (var i = 0; i < size; i++)
                        y[(head * size) + i] += weight / likely.Sum() * values[s][(shared * size) + i];
                }
            }

            result[t] = Product(wo, y);
        }

        return result;
    }

    private double[] Apply(QueryKeyFunction function, double[] x, int position, int keyHead, bool isQuery)
    {
        switch (function)
        {
            case RotaryOnly:
                return Rotate(x, position);
            case RmsQueryKey rms:
                return Rotate(Apply(new RmsNormFunction(isQuery ? rms.QueryGain : rms.KeyGain, rms.Epsilon), x), position);
            case UnitQueryKey unit:
                x = unit.Normalize ? Unit(Rotate(x, position)) : Rotate(x, position);
                return unit.Scales is null ? x : [.. x.Select((value, i) => value * unit.Scales[(keyHead * x.Length) + i])];
            default:
                throw new NotSupportedException(function.ToString());
        }
    }

    private double[] Rotate(double[] x, int position)
    {
        var half = x.Length / 2;
        var result = new double[x.Length];
        for (var i = 0; i < half; i++)
        {
            var (sin, cos) = Math.SinCos(position * Math.Pow(graph.Config.RopeTheta, -i / (double)half));
            result[i] = (x[i] * cos) - (x[i + half] * sin);
            result[i + half] = (x[i + half] * cos) + (x[i] * sin);
        }

        return result;
    }

    private static double[] Apply(InputFunction function, double[] x)
    {
        var mean = x.Sum(value => value * value) / x.Length;
        return function switch
        {
            IdentityFunction => x,
            RmsNormFunction rms => [.. x.Zip(rms.Gain, (value, gain) => gain * value / Math.Sqrt(mean + rms.Epsilon))],
            TanhFunction f => [.. x.Select((value, i) => (f.Gain[i] * Math.Tanh(f.Slope * value)) + f.Bias[i])],
            ErfFunction f => [.. x.Select((value, i)
                => (f.Gain[i] * MathNet.Numerics.SpecialFunctions.Erf((f.Slope * value) + f.Shift)) + f.Bias[i])],
            _ => throw new NotSupportedException(function.ToString()),
        };
    }

    private static double[] Apply(ResidualUpdate update, double[] h, double[] x) => update switch
    {
        ResidualSum => [.. h.Zip(x, (a, b) => a + b)],
        NormalizedResidualSum sum => [.. h.Zip(Apply(sum.Norm, x), (a, b) => a + b)],
        Interpolation mix => [.. h.Select((value, i) => (mix.Keep[i] * value) + (mix.Share[i] * x[i]))],
        SphereUpdate sphere => Unit([.. h.Zip(Unit(x)).Select((pair, i)
            => pair.First + (sphere.Alpha[i] * (pair.Second - pair.First)))]),
        _ => throw new NotSupportedException(update.ToString()),
    };

    private double[][] Values(ScaledMatrix matrix)
    {
        var flat = new double[matrix.Rows * matrix.Columns];
        weights.CopyTo(matrix.Tensor, flat);
        return [.. flat.Chunk(matrix.Columns).Select((row, i) => row.Select((value, j)
            => value * matrix.Factor * (matrix.RowScales?[i] ?? 1) * (matrix.ColumnScales?[j] ?? 1)).ToArray())];
    }

    private static double[] Product(double[][] matrix, double[] x) => [.. matrix.Select(row => Dot(row, x))];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[] Part(double[] x, int head, int size) => x[(head * size)..((head + 1) * size)];

    private static double[] Unit(double[] x)
    {
        var norm = Math.Sqrt(x.Sum(value => value * value));
        return [.. x.Select(value => value / norm)];
    }
}
