namespace AnTransformer.Export;

/// <summary>All formats by name.</summary>
public static class ExporterRegistry
{
    /// <summary>The exporters, in the order in which lists show them.</summary>
    public static IReadOnlyList<IExporter> All { get; } =
    [
        new Safetensors.SafetensorsExporter(),
        new HuggingFace.HuggingFaceExporter(),
        new Gguf.GgufExporter(),
        new Onnx.OnnxExporter(),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(exporter => exporter.Format)];

    /// <summary>Finds an exporter that must exist.</summary>
    /// <param name="format">A name, in any case.</param>
    /// <exception cref="InvalidInputException">There is none of that name.</exception>
    public static IExporter Get(string format)
        => All.FirstOrDefault(exporter => string.Equals(exporter.Format, format, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidInputException(
                $"format '{Printable.Excerpt(format)}' is unknown; it must be one of {string.Join(", ", Names)}.");
}
