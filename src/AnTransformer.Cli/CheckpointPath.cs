using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Training.Runs;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Cli;

/// <summary>Finds the checkpoint a path on the command line means.</summary>
internal static class CheckpointPath
{
    /// <summary>
    /// The path itself if it is a checkpoint; of a run directory the best checkpoint, else the newest.
    /// </summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public static string Resolve(string path)
    {
        if (File.Exists(path))
        {
            throw new InvalidInputException(
                ForeignCheckpoint.DescribeFile(path)
                    ?? $"{path}: is a file; give the checkpoint's directory (config.json and model.safetensors) or a "
                        + "run directory.");
        }

        if (!Directory.Exists(path))
            throw new InvalidInputException(
                $"{path}: no such directory; give a checkpoint (config.json and model.safetensors) or a run "
                    + "directory.");
        if (File.Exists(Path.Combine(path, ModelCheckpoint.ConfigFile))
            || File.Exists(Path.Combine(path, ModelCheckpoint.WeightsFile)))
            return path;
        return BestCheckpoint.Find(path)?.Path
            ?? RunDirectory.Latest(path)
            ?? throw new InvalidInputException(
                ForeignCheckpoint.DescribeDirectory(path)
                    ?? $"{path}: holds neither a checkpoint ({ModelCheckpoint.ConfigFile}, "
                        + $"{ModelCheckpoint.WeightsFile}) nor a run with checkpoints.");
    }

    /// <summary>The tokenizer beside the weights, or null when there is none.</summary>
    public static Tokenizer? Tokenizer(string checkpoint)
        => File.Exists(Path.Combine(checkpoint, "tokenizer.json")) ? TokenizerFiles.Load(checkpoint) : null;

    /// <summary>The tokenizer beside the weights.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public static Tokenizer RequiredTokenizer(string checkpoint)
        => Tokenizer(checkpoint)
            ?? throw new InvalidInputException(
                $"{checkpoint}: has no tokenizer.json, so text cannot be read; give token ids instead.");

    /// <summary>
    /// The number of ids that data may have to be evaluated on: the model's, and where there is a tokenizer not more
    /// than it can turn into text.
    /// </summary>
    public static int UsableVocabulary(Tokenizer? tokenizer, ModelConfig config)
        => Math.Min(tokenizer?.VocabularySize ?? int.MaxValue, config.Masking?.TokenId ?? config.VocabSize);

    /// <summary>Checks that a checkpoint's model goes from left to right, which its config.json says.</summary>
    /// <exception cref="InvalidInputException">It sees the tokens on both sides of each.</exception>
    public static void RequireCausal(string checkpoint)
    {
        var config = ModelConfigJson.Load(Path.Combine(checkpoint, ModelCheckpoint.ConfigFile));
        if (!config.IsCausal)
        {
            throw new InvalidInputException(
                $"{checkpoint}: is {(config.Masking is null ? "an encoder" : "a masked language model")}, whose tokens "
                    + "see those on "
                + "both sides, so it gives no probability of a token after others; give a causal model, or measure "
                + "this one by angpt eval.");
        }
    }

    /// <summary>Checks that a tokenizer's ids are a model's.</summary>
    /// <exception cref="InvalidInputException">Their vocabularies differ.</exception>
    public static void RequireVocabulary(string place, Tokenizer tokenizer, ModelConfig config)
    {
        if (tokenizer.VocabularySize > config.VocabSize)
        {
            throw new InvalidInputException(
                $"{place}: the tokenizer has {tokenizer.VocabularySize} ids but the model {config.VocabSize}; use the "
                    + "tokenizer the model was trained with.");
        }
    }
}
