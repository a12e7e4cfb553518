using AnTransformer.Inspection;
using AnTransformer.Layers;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Inspection;

/// <summary>Means of inputs and the rows that align with them, as tables by layer.</summary>
internal static class AlignmentTables
{
    private static readonly (Activation Input, string[] Matrices)[] InBlocks =
    [
        (Activation.AttentionInput, ["q_proj", "k_proj", "v_proj"]), (Activation.Attention, ["o_proj"]),
        (Activation.MlpInput, ["gate_proj", "up_proj"]), (Activation.Gated, ["down_proj"]),
        (Activation.HeadInput, ["lm_head"]),
    ];

    public static ReportTable Amplifications(ModelInspection inspection) => new(
        "Shared directions and what they do",
        Note: "Inputs (x_A, y, x_M, m, x_H): ‖E x‖/√E‖x‖², 0 for spread directions, 1 when all are the same. Matrices: "
            + "how many times longer W x "
            + "is than spread directions make it, in brackets the part of the mean, which adds to the rest by squares.",
        Headers: ["layer", .. InBlocks.SelectMany(item => item.Matrices.Prepend(item.Input.ToSymbol()))],
        Rows: Rows(inspection, (input, alignments) => [Cell.Number(
            alignments.FirstOrDefault(item => item.Input == input)?.MeanShare)],
            item => item is null
                ? Cell.None
                : $"{Cell.Number(item.Amplification)} ({Cell.Number(item.AmplificationOfMean)})"));

    public static ReportTable Cosines(ModelInspection inspection)
    {
        var config = inspection.Config;
        return new(
            "Rows along the mean of their input",
            Note: "Largest |cos| of a row and the mean of its input, in brackets the mean |cos|; random directions "
                + "have a mean of "
                + $"{Cell.Number(Math.Sqrt(2 / (Math.PI * config.HiddenSize)))} at width d = {config.HiddenSize} and "
                + $"{Cell.Number(Math.Sqrt(2 / (Math.PI * config.IntermediateSize)))} at width f = "
                + $"{config.IntermediateSize} (down_proj).",
            Headers: ["layer", .. InBlocks.SelectMany(item => item.Matrices)],
            Rows: Rows(
                inspection, (_, _) => [],
                item => item is null
                    ? Cell.None
                    : $"{Cell.Number(item.Cosines.Highest)} ({Cell.Number(item.Cosines.Mean)})"));
    }

    private static IReadOnlyList<IReadOnlyList<string>> Rows(
        ModelInspection inspection,
        Func<Activation, IReadOnlyList<MatrixAlignment>, IEnumerable<string>> ofInput,
        Func<MatrixAlignment?, string> ofMatrix)
        => [.. inspection.Alignments.GroupBy(item => item.Layer).Select(layer => (IReadOnlyList<string>)
        [
            Cell.Layer(layer.Key),
            .. InBlocks.SelectMany(item => ofInput(item.Input, [.. layer])
                .Concat(
                    item.Matrices.Select(
                        matrix => ofMatrix(layer.FirstOrDefault(alignment => alignment.Matrix == matrix))))),
        ])];
}
