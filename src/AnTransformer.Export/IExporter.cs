namespace AnTransformer.Export;

/// <summary>
/// Writes trained models in one format. A new format is a class of this interface and a line in
/// <see cref="ExporterRegistry"/>.
/// </summary>
public interface IExporter
{
    /// <summary>The format's name on the command line, for example <c>gguf</c>.</summary>
    string Format { get; }

    /// <summary>What programs read it, in half a line.</summary>
    string Summary { get; }

    /// <summary>The element types that it can write, the default first.</summary>
    IReadOnlyList<ExportDtype> Dtypes { get; }

    /// <summary>Whether it writes checkpoints of this program, which are folded only where that is asked for.</summary>
    bool HasOptionalFolding => false;

    /// <summary>Whether it divides weights into several files where they are large.</summary>
    bool HasShards => false;

    /// <summary>Writes a model with all that its readers need, the model card apart.</summary>
    /// <param name="source">The opened model.</param>
    /// <param name="options">How to write it; the type is one of <see cref="Dtypes"/>.</param>
    /// <param name="directory">An empty directory, which appears under its name only when this returns.</param>
    /// <returns>What the model card and the command say of it.</returns>
    /// <exception cref="InvalidInputException">
    /// The format cannot hold this model; the sentence says why and what can.
    /// </exception>
    ExportReport Write(ExportSource source, ExportOptions options, string directory);
}

/// <summary>How a model is exported.</summary>
/// <param name="Dtype">The matrices' element type.</param>
/// <param name="Fold">Whether a checkpoint of this program has anGPT's factors folded into its matrices.</param>
public sealed record ExportOptions(ExportDtype Dtype, bool Fold = false)
{
    /// <summary>
    /// The weights in one file, in bytes at most, where <see cref="IExporter.HasShards"/>; a larger matrix has a file
    /// of its own. By default 5 GB, which is what Hugging Face uses.
    /// </summary>
    public long MaxShardBytes { get; init; } = 5_000_000_000;
}

/// <summary>What an exporter says of what it wrote.</summary>
/// <param name="Target">What the model is in the format's terms, for example <c>Qwen3ForCausalLM</c>.</param>
public sealed record ExportReport(string Target)
{
    /// <summary>
    /// Whole sentences for whoever uses the model: bounds that were measured, types that must not be changed.
    /// </summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>How to load it, a section of Markdown.</summary>
    public string Usage { get; init; } = "";
}
