using System.Globalization;
using System.Text;
using AnTransformer.Inspection;
using AnTransformer.Layers;

namespace AnTransformer.Studies.Inspection;

/// <summary>An inspection as comma-separated values with full precision; a cell without a figure is empty.</summary>
public static class InspectionCsv
{
    private const string DistributionColumns = "count,mean,rms,deviation,min,p5,median,p95,max";

    /// <summary>Norms of activations, a line per layer and activation.</summary>
    /// <param name="inspection">The figures.</param>
    public static string Activations(ModelInspection inspection)
    {
        var text = new StringBuilder($"layer,activation,symbol,predicted,is_upper_bound,{DistributionColumns}\n");
        foreach (var item in inspection.Activations)
            Line(
                text,
                [item.Layer, item.Activation.ToName(), item.Activation.ToSymbol(), item.Predicted?.Value,
                    item.Predicted?.IsUpperBound, .. Of(item.Norm)]);
        return text.ToString();
    }

    /// <summary>Matrices (norms of their rows or columns) and scales (their values), a line per parameter.</summary>
    /// <param name="inspection">The figures.</param>
    public static string Parameters(ModelInspection inspection)
    {
        var text = new StringBuilder(
            $"layer,parameter,kind,rows,columns,{DistributionColumns},at_bound,negative,"
            + "frobenius_norm,spectral_norm,stable_rank,"
            + "input,mean_share,mean_cosine,max_cosine,cosine_ratio,amplification,amplification_of_mean\n");
        foreach (var item in inspection.Matrices)
        {
            var alignment = inspection.Alignments.FirstOrDefault(
                other => other.Layer == item.Layer && other.Matrix == item.Matrix);
            Line(text,
            [
                item.Layer, item.Matrix, item.ByColumn
                    ? "columns"
                    : "rows", item.Rows, item.Columns, .. Of(item.VectorNorms), item.AtBound, null,
                item.FrobeniusNorm, item.SpectralNorm, item.StableRank, alignment?.Input.ToName(), alignment?.MeanShare,
                alignment?.Cosines.Mean,
                alignment?.Cosines.Highest, alignment?.CosineRatio, alignment?.Amplification,
                alignment?.AmplificationOfMean,
            ]);
        }

        foreach (var item in inspection.Scales)
        {
            Line(text,
            [
                item.Layer, item.Scale, "scale", item.Values.Count, null, .. Of(item.Values), null, item.Negative,
                .. new object?[10],
            ]);
        }

        return text.ToString();
    }

    private static object?[] Of(Distribution values) =>
    [
        values.Count, values.Mean, values.RootMeanSquare, values.Deviation, values.Lowest, values.P5, values.Median,
        values.P95, values.Highest,
    ];

    private static void Line(StringBuilder text, ReadOnlySpan<object?> cells)
    {
        for (var i = 0; i < cells.Length; i++)
            text.Append(i == 0 ? "" : ",")
                .Append(
                    Convert.ToString(
                        cells[i] is bool flag ? (flag ? "true" : "false") : cells[i], CultureInfo.InvariantCulture));
        text.Append('\n');
    }
}
