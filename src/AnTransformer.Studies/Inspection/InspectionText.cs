using AnTransformer.Architectures;
using AnTransformer.Inspection;
using AnTransformer.Layers;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Inspection;

/// <summary>An inspection in words and tables.</summary>
public static class InspectionText
{
    /// <summary>All tables, in the order they are best read in.</summary>
    /// <param name="inspection">The figures.</param>
    public static IReadOnlyList<ReportTable> Tables(ModelInspection inspection) =>
    [
        ActivationTables.Summary(inspection), ActivationTables.ByLayer(inspection),
        AlignmentTables.Amplifications(inspection),
        AlignmentTables.Cosines(inspection), ParameterTables.Matrices(inspection), ParameterTables.Scales(inspection),
    ];

    /// <summary>What stands out, a sentence each.</summary>
    /// <param name="inspection">The figures.</param>
    public static IReadOnlyList<string> Findings(ModelInspection inspection)
    {
        var findings = new List<string> { Stream(inspection) };
        var farthest = inspection.Activations
            .Where(
                item => item is { Predicted.IsUpperBound: false }
                    && item.Activation is not (Activation.AttentionOutput or Activation.Logits))
            .MaxBy(item => Math.Abs(Math.Log(item.Norm.RootMeanSquare / item.Predicted!.Value)));
        if (farthest is not null)
        {
            findings.Add($"Farthest from its prediction is {Place(farthest.Activation.ToSymbol(), farthest.Layer)}: "
                + "√E‖x‖² is "
                + $"{Cell.Number(farthest.Norm.RootMeanSquare)} where {Cell.Number(farthest.Predicted!.Value)} is "
                + "predicted"
                + (PredictedNorms.For(inspection.Config).HoldsAtInitializationOnly ? " at initialization." : "."));
        }

        if (inspection.Alignments.Where(item => item.Layer is not null).MaxBy(item => item.Amplification)
            is { } longest)
        {
            findings.Add("The product that shared directions lengthen most is that of "
                + $"{Place(longest.Matrix, longest.Layer)}: "
                + $"{Cell.Number(longest.Amplification)} times what spread directions give; the mean of its input is "
                + $"{100 * Math.Pow(longest.AmplificationOfMean / longest.Amplification, 2):f0} % of its mean square, "
                + "and the row that is most "
                + $"aligned with it has |cos| {Cell.Number(longest.Cosines.Highest)}.");
        }

        if (inspection.Updates.MaxBy(item => item.Cosine) is { } update)
        {
            findings.Add("The update that lies most along the stream is "
                + $"{Place(update.Output.ToSymbol(), update.Layer)}: cosine "
                + $"{Cell.Number(update.Cosine)}, where independent directions have 0.");
        }

        return findings;
    }

    private static string Stream(ModelInspection inspection)
    {
        var stream = inspection.Activations
            .Where(
                item => item.Activation is Activation.Embedding or Activation.StreamAfterAttention
                    or Activation.StreamAfterMlp).ToList();
        return $"The residual stream has norm {Cell.Number(stream[0].Norm.Mean)} at the embedding and "
            + $"{Cell.Number(stream[^1].Norm.Mean)} at the end, between "
            + $"{Cell.Number(stream.Min(item => item.Norm.Mean))} and "
            + $"{Cell.Number(stream.Max(item => item.Norm.Mean))} on the way.";
    }

    private static string Place(string name, int? layer) => layer is null ? name : $"{name} in layer {layer}";
}
