using AnTransformer.Inspection;
using AnTransformer.Layers;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Inspection;

/// <summary>Norms of activations as tables: all layers together, and layer by layer.</summary>
internal static class ActivationTables
{
    private static readonly Activation[] InBlocks =
    [
        Activation.Query, Activation.Key, Activation.Value, Activation.AttentionHead, Activation.Attention,
        Activation.AttentionOutput,
        Activation.StreamAfterAttention, Activation.Gate, Activation.Up, Activation.Gated, Activation.MlpOutput,
        Activation.StreamAfterMlp,
    ];

    public static ReportTable Summary(ModelInspection inspection) => new(
        "Norms of activations",
        Note: "Mean ‖x‖ over tokens (of q, k, v and y/head per head) and layers; 5 % and 95 % quantiles over tokens, "
            + "means over layers. Lowest "
            + "and highest are the means of single layers.",
        Headers: ["activation", "predicted", "mean", "deviation", "5 %", "95 %", "lowest", "in layer", "highest",
            "in layer"],
        Rows: [.. inspection.Activations.GroupBy(item => item.Activation).OrderBy(group => group.Key).Select(Row)]);

    public static ReportTable ByLayer(ModelInspection inspection) => new(
        "Norms by layer",
        Note: "Mean ‖x‖ over tokens. h_A and h_M are the residual stream after attention and after the MLP; cos(h,a) "
            + "and cos(h,b) are how the "
            + "updates lie to it, E⟨h,x⟩/√(E‖h‖²E‖x‖²), 0 for independent directions.",
        Headers: ["layer", .. InBlocks.Select(activation => activation.ToSymbol()), "cos(h,a)", "cos(h,b)"],
        Rows: [.. Enumerable.Range(0, inspection.Config.NumHiddenLayers).Select(layer => (IReadOnlyList<string>)
            [Cell.Layer(layer), .. InBlocks.Select(
                activation => Cell.Number(inspection.Norm(layer, activation).Norm.Mean)),
                .. inspection.Updates.Where(item => item.Layer == layer).Select(item => Cell.Number(item.Cosine))])]);

    private static IReadOnlyList<string> Row(IGrouping<Activation, ActivationNorm> group)
    {
        var lowest = group.MinBy(item => item.Norm.Mean)!;
        var highest = group.MaxBy(item => item.Norm.Mean)!;
        return
        [
            $"{group.Key.ToSymbol()} {group.Key.ToName()}", Predicted(group), Cell.Number(
                group.Average(item => item.Norm.Mean)),
            Cell.Number(group.Average(item => item.Norm.Deviation)), Cell.Number(group.Average(item => item.Norm.P5)),
            Cell.Number(group.Average(item => item.Norm.P95)), Cell.Number(lowest.Norm.Mean), Cell.Layer(lowest.Layer),
            Cell.Number(highest.Norm.Mean), Cell.Layer(highest.Layer),
        ];
    }

    private static string Predicted(IEnumerable<ActivationNorm> layers)
    {
        var (first, last) = (Cell.Prediction(layers.First().Predicted), Cell.Prediction(layers.Last().Predicted));
        return first == last ? first : $"{first} to {last}";
    }
}
