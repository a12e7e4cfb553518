using AnTransformer.Inspection;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Inspection;

/// <summary>Norms of parameters as tables.</summary>
internal static class ParameterTables
{
    public static ReportTable Matrices(ModelInspection inspection) => new(
        "Matrices",
        Note: "Norms of rows (of columns where it says so) over all layers; at the bound: ‖w‖ ≥ 0.999. Spectral norm "
            + "and stable rank "
            + "‖W‖²_F/‖W‖₂²: means over layers.",
        Headers: ["matrix", "shape", "vectors", "min", "5 %", "mean", "95 %", "max", "at bound", "‖W‖₂", "stable rank"],
        Rows: [.. inspection.Matrices.GroupBy(item => item.Matrix).Select(group => (IReadOnlyList<string>)
        [
            group.Key,
            $"{group.First().Rows}×{group.First().Columns}",
            group.First().ByColumn ? "columns" : "rows",
            Cell.Number(group.Min(item => item.VectorNorms.Lowest)),
            Cell.Number(group.Average(item => item.VectorNorms.P5)),
            Cell.Number(group.Average(item => item.VectorNorms.Mean)),
            Cell.Number(group.Average(item => item.VectorNorms.P95)),
            Cell.Number(group.Max(item => item.VectorNorms.Highest)),
            $"{100.0 * group.Sum(item => item.AtBound) / group.Sum(item => item.VectorNorms.Count):f1} %",
            Cell.Number(group.Average(item => item.SpectralNorm)),
            Cell.Number(group.Average(item => item.StableRank)),
        ])]);

    public static ReportTable Scales(ModelInspection inspection) => new(
        "Learned scales and gains",
        Note: "Values as they are used, α as |α|; negative: how many are stored with a minus sign.",
        Headers: ["scale", "layer", "mean", "min", "5 %", "median", "95 %", "max", "negative"],
        Rows: [.. inspection.Scales.OrderBy(item => item.Scale, StringComparer.Ordinal).ThenBy(item => item.Layer)
            .Select(item => (IReadOnlyList<string>)
        [
            item.Scale, Cell.Layer(item.Layer), Cell.Number(item.Values.Mean), Cell.Number(item.Values.Lowest),
            Cell.Number(item.Values.P5),
            Cell.Number(item.Values.Median), Cell.Number(item.Values.P95), Cell.Number(item.Values.Highest),
            $"{item.Negative}",
        ])]);
}
