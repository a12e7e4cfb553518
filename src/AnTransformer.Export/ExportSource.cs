using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Export;

/// <summary>An opened checkpoint with its tokenizer. Needs no LibTorch.</summary>
public sealed class ExportSource : IDisposable
{
    private readonly GraphCheckpoint _checkpoint;

    private ExportSource(string path, GraphCheckpoint checkpoint, Tokenizer? tokenizer, CancellationToken stop)
        => (Path, _checkpoint, Tokenizer, Rows) = (path, checkpoint, tokenizer, new MatrixRows(
            checkpoint.Weights, stop));

    /// <summary>The checkpoint's directory.</summary>
    public string Path { get; }

    /// <summary>
    /// What files and cards call the model: the checkpoint's directory, of a run's checkpoint the run's, in letters,
    /// digits and hyphens.
    /// </summary>
    public string Name
    {
        get
        {
            var directory = new DirectoryInfo(Path);
            if (directory.Parent is { Name: "checkpoints", Parent: { } run })
                directory = run;
            var name = new string(
                [.. directory.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')])
                    .Trim('.', '-');
            return name.Length > 0 ? name : Config.Architecture;
        }
    }

    /// <summary>Sizes and settings.</summary>
    public ModelConfig Config => Graph.Config;

    /// <summary>What the model computes.</summary>
    public DecoderGraph Graph => _checkpoint.Graph;

    /// <summary>The file of the matrices.</summary>
    public SafetensorsFile Weights => _checkpoint.Weights;

    /// <summary>The matrices as numbers; whoever reads them notices when the export is stopped.</summary>
    public MatrixRows Rows { get; }

    /// <summary>The tokenizer beside the weights, or null.</summary>
    public Tokenizer? Tokenizer { get; }

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">
    /// A directory with <c>config.json</c>, <c>model.safetensors</c> and perhaps a tokenizer.
    /// </param>
    /// <param name="stop">Ends the reading of matrices.</param>
    /// <exception cref="InvalidInputException">
    /// A file is missing or malformed, or the tokenizer is not the model's.
    /// </exception>
    public static ExportSource Open(string path, CancellationToken stop = default)
    {
        var checkpoint = GraphCheckpoint.Open(path);
        try
        {
            var tokenizer = File.Exists(System.IO.Path.Combine(path, "tokenizer.json"))
                ? TokenizerFiles.Load(path)
                : null;
            if (tokenizer?.VocabularySize > checkpoint.Graph.Config.VocabSize)
            {
                throw new InvalidInputException(
                    $"{path}: the tokenizer has {tokenizer.VocabularySize} ids but the model "
                        + $"{checkpoint.Graph.Config.VocabSize}; "
                    + "use the tokenizer the model was trained with.");
            }

            return new ExportSource(path, checkpoint, tokenizer, stop);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _checkpoint.Dispose();
}
