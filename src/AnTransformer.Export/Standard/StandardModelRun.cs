using AnTransformer.Graphs;

namespace AnTransformer.Export.Standard;

/// <summary>
/// A forward pass of a model whose norms are to be the identity, with norms that are, in double precision: what its
/// streams, queries and keys are like, over all blocks, heads and tokens.
/// </summary>
internal sealed class StandardModelRun
{
    private const int MostTokens = 64;

    private readonly StandardModel _model;
    private readonly MatrixRows _rows;
    private readonly int[] _tokens;

    private StandardModelRun(StandardModel model, MatrixRows rows)
    {
        _model = model;
        _rows = rows;
        // Spread over the vocabulary, in no order that text has: what is found holds of any stream, not of likely ones.
        var count = Math.Min(Math.Min(MostTokens, model.Config.MaxPositionEmbeddings), model.Config.VocabSize);
        _tokens = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * 7919 * model.Config.VocabSize / count
            % model.Config.VocabSize))];
    }

    /// <summary>The largest mean(x²) of a stream that a norm reads.</summary>
    public double LargestStream { get; private set; }

    /// <summary>
    /// The smallest mean(q²) of a query or key before its norm, those of zeros apart; null where there is no norm.
    /// </summary>
    public double? SmallestQueryKey { get; private set; }

    /// <summary>The largest magnitude in a query or key before its norm; 0 where there is no norm.</summary>
    public double LargestQueryKey { get; private set; }

    /// <summary>How many tokens were looked at.</summary>
    public int Tokens => _tokens.Length;

    /// <summary>Runs a model.</summary>
    /// <param name="model">A model with <see cref="StandardModel.Identity"/>.</param>
    /// <param name="rows">The matrices' numbers.</param>
    public static StandardModelRun Of(StandardModel model, MatrixRows rows)
    {
        var run = new StandardModelRun(model, rows);
        run.Run();
        return run;
    }

    private void Run()
    {
        var config = _model.Config;
        var (d, shape) = (config.HiddenSize, config.Attention);
        var h = Embed(d);
        foreach (var block in _model.Blocks)
        {
            ObserveStream(h);
            var q = Multiply(block.Query, h);
            var k = Multiply(block.Key, h);
            var v = Multiply(block.Value, h);
            if (block.QueryNorm is { } queryGain)
            {
                Normalize(q, shape.HeadSize, queryGain);
                Normalize(k, shape.HeadSize, block.KeyNorm!);
            }

            Rotate(q, shape.HeadSize);
            Rotate(k, shape.HeadSize);
            Add(h, Multiply(block.Output, Attend(q, k, v)));
            ObserveStream(h);
            var (gate, up) = (Multiply(block.Gate, h), Multiply(block.Up, h));
            for (var t = 0; t < gate.Length; t++)
            {
                for (var i = 0; i < gate[t].Length; i++)
                    gate[t][i] = up[t][i] * gate[t][i] / (1 + Math.Exp(-gate[t][i]));
            }

            Add(h, Multiply(block.Down, gate));
        }

        ObserveStream(h);
    }

    private double[][] Embed(int d)
    {
        var h = new double[_tokens.Length][];
        for (var t = 0; t < h.Length; t++)
        {
            h[t] = new double[d];
            _rows.Read(_model.Embedding, _tokens[t], h[t]);
        }

        return h;
    }

    private void ObserveStream(double[][] h)
    {
        foreach (var row in h)
            LargestStream = Largest(LargestStream, MeanSquare(row));
    }

    private void Normalize(double[][] rows, int headSize, double[] gain)
    {
        foreach (var row in rows)
        {
            for (var start = 0; start < row.Length; start += headSize)
            {
                var head = row.AsSpan(start, headSize);
                var mean = MeanSquare(head);
                foreach (var value in head)
                    LargestQueryKey = Largest(LargestQueryKey, Math.Abs(value));
                // A head of zeros is one after the norm, too, whatever ε is.
                if (mean > 0)
                    SmallestQueryKey = Math.Min(SmallestQueryKey ?? mean, mean);
                var factor = mean > 0 ? 1 / Math.Sqrt(mean) : 0;
                for (var i = 0; i < headSize; i++)
                    head[i] *= factor * gain[i];
            }
        }
    }

    private void Rotate(double[][] rows, int headSize)
    {
        var half = headSize / 2;
        for (var t = 0; t < rows.Length; t++)
        {
            for (var start = 0; start < rows[t].Length; start += headSize)
            {
                for (var i = 0; i < half; i++)
                {
                    var (sin, cos) = Math.SinCos(t * Math.Pow(_model.Config.RopeTheta, -2.0 * i / headSize));
                    var (x, y) = (rows[t][start + i], rows[t][start + half + i]);
                    (rows[t][start + i], rows[t][start + half + i]) = ((x * cos) - (y * sin), (y * cos) + (x * sin));
                }
            }
        }
    }

    private double[][] Attend(double[][] q, double[][] k, double[][] v)
    {
        var shape = _model.Config.Attention;
        var (size, scale) = (shape.HeadSize, 1 / Math.Sqrt(shape.HeadSize));
        var result = new double[q.Length][];
        var weights = new double[q.Length];
        for (var t = 0; t < q.Length; t++)
        {
            result[t] = new double[shape.QueryWidth];
            for (var head = 0; head < shape.Heads; head++)
            {
                var (start, shared) = (head * size, head / shape.GroupSize * size);
                var largest = double.NegativeInfinity;
                for (var s = 0; s <= t; s++)
                {
                    weights[s] = scale * Dot(q[t].AsSpan(start, size), k[s].AsSpan(shared, size));
                    largest = Math.Max(largest, weights[s]);
                }

                var sum = 0.0;
                for (var s = 0; s <= t; s++)
                    sum += weights[s] = Math.Exp(weights[s] - largest);
                for (var s = 0; s <= t; s++)
                {
                    for (var i = 0; i < size; i++)
                        result[t][start + i] += weights[s] / sum * v[s][shared + i];
                }
            }
        }

        return result;
    }

    private double[][] Multiply(ScaledMatrix matrix, double[][] inputs)
    {
        var outputs = Array.ConvertAll(inputs, _ => new double[matrix.Rows]);
        _rows.ForEach(matrix, (first, values, rows) => Parallel.For(0, rows, row =>
        {
            var weights = values.AsSpan(row * matrix.Columns, matrix.Columns);
            for (var t = 0; t < inputs.Length; t++)
                outputs[t][first + row] = Dot(weights, inputs[t]);
        }));
        return outputs;
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = System.Numerics.Vector<double>.Zero;
        var width = System.Numerics.Vector<double>.Count;
        var i = 0;
        for (; i <= a.Length - width; i += width)
        {
            sum += new System.Numerics.Vector<double>(a[i..]) * new System.Numerics.Vector<double>(b[i..]);
        }

        var rest = System.Numerics.Vector.Sum(sum);
        for (; i < a.Length; i++)
            rest += a[i] * b[i];
        return rest;
    }

    private static void Add(double[][] h, double[][] x)
    {
        for (var t = 0; t < h.Length; t++)
        {
            for (var i = 0; i < h[t].Length; i++)
                h[t][i] += x[t][i];
        }
    }

    private static double MeanSquare(ReadOnlySpan<double> x) => Dot(x, x) / x.Length;

    // A stream that overflows must not pass for one that was never seen.
    private static double Largest(double a, double b) => double.IsNaN(b) || b > a ? b : a;
}
