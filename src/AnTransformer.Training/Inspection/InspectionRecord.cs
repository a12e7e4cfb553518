using AnTransformer.Inspection;
using AnTransformer.Layers;
using AnTransformer.Training.Metrics;

namespace AnTransformer.Training.Inspection;

/// <summary>
/// One line of <c>inspection.jsonl</c>: what an inspection found in one block, or outside the blocks.
/// </summary>
public sealed record InspectionRecord : IStepRecord
{
    static string IStepRecord.Kind => "an inspection record";

    /// <summary>Optimizer steps taken.</summary>
    public required long Step { get; init; }

    /// <summary>The block, from 0; null, and left out of the file, for embedding and head.</summary>
    public int? Layer { get; init; }

    /// <summary>Mean ‖x‖ by activation.</summary>
    public required IReadOnlyDictionary<string, double> Norm { get; init; }

    /// <summary>What the norms were predicted to be.</summary>
    public required IReadOnlyDictionary<string, double> Predicted { get; init; }

    /// <summary>‖E x‖ / √E‖x‖² of what matrices are applied to, by activation.</summary>
    public required IReadOnlyDictionary<string, double> MeanShare { get; init; }

    /// <summary>Largest |cos| of a row and the mean of its input, by matrix.</summary>
    public required IReadOnlyDictionary<string, double> MaxCosine { get; init; }

    /// <summary>How many times longer the product is than spread directions make it, by matrix.</summary>
    public required IReadOnlyDictionary<string, double> Amplification { get; init; }

    /// <summary>Cosine of residual updates and the stream, by update; empty outside the blocks.</summary>
    public required IReadOnlyDictionary<string, double> UpdateCosine { get; init; }

    /// <summary>Norms of the constrained vectors, by matrix.</summary>
    public required IReadOnlyDictionary<string, VectorNorms> Vectors { get; init; }

    /// <summary>Mean values of learned scales and gains.</summary>
    public required IReadOnlyDictionary<string, double> Scales { get; init; }

    /// <summary>The records of an inspection: embedding and head first, then block by block.</summary>
    /// <param name="step">Optimizer steps taken.</param>
    /// <param name="inspection">What was found.</param>
    public static IReadOnlyList<InspectionRecord> Of(long step, ModelInspection inspection)
        => [Of(step, null, inspection), .. Enumerable.Range(0, inspection.Config.NumHiddenLayers).Select(
            layer => Of(step, layer, inspection))];

    /// <summary>The figures that TensorBoard shows.</summary>
    internal IEnumerable<(string Tag, double Value)> Figures()
    {
        var place = Layer is { } layer ? $"/{layer}" : "";
        return Norm.Select(item => ($"norm_{item.Key}{place}", item.Value))
            .Concat(MeanShare.Select(item => ($"mean_share_{item.Key}{place}", item.Value)))
            .Concat(MaxCosine.Select(item => ($"max_cosine_{item.Key}{place}", item.Value)))
            .Concat(UpdateCosine.Select(item => ($"update_cosine_{item.Key}{place}", item.Value)))
            .Concat(Scales.Select(item => ($"scale_{item.Key}{place}", item.Value)))
            .Select(item => ("inspection/" + item.Item1, item.Value));
    }

    private static InspectionRecord Of(long step, int? layer, ModelInspection inspection)
    {
        var activations = inspection.Activations.Where(item => item.Layer == layer).ToList();
        var alignments = inspection.Alignments.Where(item => item.Layer == layer).ToList();
        return new InspectionRecord
        {
            Step = step,
            Layer = layer,
            Norm = activations.ToDictionary(item => item.Activation.ToName(), item => Rounded(item.Norm.Mean)),
            Predicted = activations.Where(item => item.Predicted is not null)
                .ToDictionary(item => item.Activation.ToName(), item => Rounded(item.Predicted!.Value)),
            MeanShare = alignments.DistinctBy(item => item.Input)
                .ToDictionary(item => item.Input.ToName(), item => Rounded(item.MeanShare)),
            MaxCosine = alignments.ToDictionary(item => item.Matrix, item => Rounded(item.Cosines.Highest)),
            Amplification = alignments.ToDictionary(item => item.Matrix, item => Rounded(item.Amplification)),
            UpdateCosine = inspection.Updates.Where(item => item.Layer == layer)
                .ToDictionary(item => item.Output.ToName(), item => Rounded(item.Cosine)),
            Vectors = inspection.Matrices.Where(item => item.Layer == layer)
                .ToDictionary(item => item.Matrix, item => new VectorNorms(
                Rounded(item.VectorNorms.Lowest), Rounded(item.VectorNorms.Mean), Rounded(
                    item.VectorNorms.Highest), item.AtBound)),
            Scales = inspection.Scales.Where(item => item.Layer == layer)
                .ToDictionary(item => item.Scale, item => Rounded(item.Values.Mean)),
        };
    }

    /// <summary>Five digits: more are noise, and the file has one line per block and inspection.</summary>
    private static double Rounded(double value)
        => value == 0 || !double.IsFinite(value) ? value : double.Parse(value.ToString("g5", null), null);
}

/// <summary>Norms of the constrained vectors of a matrix: rows, or in nGPT's output matrices columns.</summary>
/// <param name="Min">Smallest.</param>
/// <param name="Mean">Mean.</param>
/// <param name="Max">Largest.</param>
/// <param name="AtBound">How many are at least 1 − 1e-3.</param>
public sealed record VectorNorms(double Min, double Mean, double Max, long AtBound);
