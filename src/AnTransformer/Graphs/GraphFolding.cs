namespace AnTransformer.Graphs;

/// <summary>
/// Turns every interpolation into a plain sum (arXiv 2505.22014, section 3: "no cost at inference"): with D₀ = 1 and
/// D_{i+1} = keep_i ⊙ D_i for the 2L updates h_{i+1} = keep ⊙ h_i + share ⊙ x, the stream h̃_i = h_i / D_i obeys
/// h̃_{i+1} = h̃_i + (share / D_{i+1}) ⊙ x. Matrices that write to the stream get share / D_{i+1} as scales of their
/// rows, matrices that read it D_i as scales of their columns.
/// </summary>
public static class GraphFolding
{
    /// <summary>Folds a graph; one without interpolations is returned as it is.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="widest">
    /// How far a channel's D may be from 1, as a factor: what the type of the folded weights can bear.
    /// </param>
    /// <exception cref="InvalidInputException">
    /// An update keeps nothing of a channel (α = 1), or so little that D leaves the range; the message names the block.
    /// </exception>
    public static DecoderGraph Fold(DecoderGraph graph, double widest = double.MaxValue)
    {
        if (!graph.Blocks.Any(block => block.Attention.Update is Interpolation || block.Mlp.Update is Interpolation))
            return graph;
        var scale = new double[graph.Config.HiddenSize];
        Array.Fill(scale, 1);
        var blocks = new BlockGraph[graph.Blocks.Count];
        for (var layer = 0; layer < blocks.Length; layer++)
        {
            var (attention, mlp) = graph.Blocks[layer];
            var name = FormattableString.Invariant($"block {layer}");
            var read = RequireIdentity(attention.Input, name);
            var (next, outputRows) = Step(scale, attention.Update, widest, $"{name}'s attention");
            attention = attention with
            {
                Input = read,
                Query = Columns(attention.Query, scale),
                Key = Columns(attention.Key, scale),
                Value = Columns(attention.Value, scale),
                Output = Rows(attention.Output, outputRows),
                Update = new ResidualSum(),
            };
            scale = next;

            read = RequireIdentity(mlp.Input, name);
            (next, outputRows) = Step(scale, mlp.Update, widest, $"{name}'s MLP");
            mlp = mlp with
            {
                Input = read,
                Gate = Columns(mlp.Gate, scale),
                Up = Columns(mlp.Up, scale),
                Down = Rows(mlp.Down, outputRows),
                Update = new ResidualSum(),
            };
            scale = next;
            blocks[layer] = new BlockGraph(attention, mlp);
        }

        RequireIdentity(graph.HeadInput, "the head");
        // A tied head gets scales that the embedding does not have: it is a matrix of its own from here on.
        return graph with
        {
            Config = graph.Config with { TieWordEmbeddings = false },
            Blocks = blocks,
            Head = Columns(graph.Head, scale),
        };
    }

    private static (double[] Next, double[] Rows) Step(
        double[] scale, ResidualUpdate update, double widest, string place)
    {
        if (update is ResidualSum)
            return (scale, Array.ConvertAll(scale, value => 1 / value));
        if (update is not Interpolation interpolation)
            throw new InvalidInputException($"{place}: joins the stream by normalization, which cannot be folded.");
        var (next, rows) = (new double[scale.Length], new double[scale.Length]);
        for (var channel = 0; channel < scale.Length; channel++)
        {
            next[channel] = interpolation.Keep[channel] * scale[channel];
            if (interpolation.Keep[channel] == 0)
            {
                throw new InvalidInputException(FormattableString.Invariant(
                    $"{place}: channel {channel} has α = 1 and keeps nothing of the stream, ")
                    + "so it cannot be folded into a plain sum; train a little further, or use the model unfolded.");
            }

            if (!(Math.Abs(next[channel]) <= widest && Math.Abs(next[channel]) >= 1 / widest))
            {
                throw new InvalidInputException(FormattableString.Invariant(
                    $"{place}: channel {channel} has kept {next[channel]:g3} of the stream, ")
                    + "which leaves too few digits once it is folded; choose a wider type (--dtype), or use the model "
                    + "unfolded.");
            }

            rows[channel] = interpolation.Share[channel] / next[channel];
        }

        return (next, rows);
    }

    private static InputFunction RequireIdentity(InputFunction input, string place)
        => input is IdentityFunction
            ? input
            : throw new InvalidInputException(
                $"{place}: reads a function of an interpolated stream, which cannot be folded.");

    private static ScaledMatrix Columns(ScaledMatrix matrix, double[] scales)
        => matrix with { ColumnScales = Multiply(matrix.ColumnScales, scales) };

    private static ScaledMatrix Rows(ScaledMatrix matrix, double[] scales)
        => matrix with { RowScales = Multiply(matrix.RowScales, scales) };

    private static double[] Multiply(double[]? left, double[] right)
        => left is null ? right : [.. left.Zip(right, (a, b) => a * b)];
}
