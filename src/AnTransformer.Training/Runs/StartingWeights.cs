using System.Text.Json.Nodes;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Runs;

/// <summary>Weights of a checkpoint for a new run to start with; nothing else of it is taken over.</summary>
internal static class StartingWeights
{
    // No weight depends on them, and rotary positions go on beyond the context.
    private const string Context = "max_position_embeddings";
    private const string MaskedShare = "mask_probability";

    /// <summary>Copies a checkpoint's weights into a model.</summary>
    /// <param name="from">A checkpoint, or a run's directory: its best checkpoint, else its newest.</param>
    /// <param name="model">Receives the weights; must be the checkpoint's model, but for the context's length.</param>
    /// <param name="tokenizer">The tokenizer of the new run's data; null when only ids are known.</param>
    /// <returns>The checkpoint's directory.</returns>
    /// <exception cref="InvalidInputException">
    /// There is no checkpoint, it is damaged, or it is of another model or another tokenizer.
    /// </exception>
    public static string Load(string from, LanguageModel model, Tokenizer? tokenizer)
    {
        var checkpoint = Find(from);
        RequireSameModel(
            checkpoint, ModelConfigJson.Load(Path.Combine(checkpoint, ModelCheckpoint.ConfigFile)), model.Config);
        RequireSameTokenizer(checkpoint, tokenizer);
        var weights = Path.Combine(checkpoint, ModelCheckpoint.WeightsFile);
        using var file = SafetensorsFile.Open(weights);
        ModelCheckpoint.CopyInto(file, weights, ModelCheckpoint.Weights(model), "the configured model");
        return checkpoint;
    }

    /// <summary>
    /// V: the data's, or that of the checkpoint which a run begins with where that is larger. Published models have
    /// more rows than their tokenizers have ids, for the sake of round numbers.
    /// </summary>
    /// <param name="resumed">The checkpoint that a run goes on from, or null.</param>
    /// <param name="from">What gives a new run its weights, or null.</param>
    /// <param name="ofData">Ids of the data's tokenizer.</param>
    /// <exception cref="InvalidInputException">
    /// There is no such checkpoint, or its configuration is malformed.
    /// </exception>
    public static int VocabularySize(string? resumed, string? from, int ofData)
    {
        var checkpoint = resumed ?? (from is null ? null : Find(from));
        if (checkpoint is null)
            return ofData;
        var config = ModelConfigJson.Load(Path.Combine(checkpoint, ModelCheckpoint.ConfigFile));
        // <mask> comes after the vocabulary and is not of it.
        return Math.Max(ofData, config.Masking?.TokenId ?? config.VocabSize);
    }

    private static string Find(string from)
    {
        if (!Directory.Exists(from))
            throw new InvalidInputException(
                $"training.from: {from}: no such directory; give a checkpoint or a run directory.");
        if (File.Exists(Path.Combine(from, ModelCheckpoint.ConfigFile))
            || File.Exists(Path.Combine(from, ModelCheckpoint.WeightsFile)))
            return from;
        return BestCheckpoint.Find(from)?.Path ?? RunDirectory.Latest(from)
            ?? throw new InvalidInputException(
                $"training.from: {from}: holds neither a checkpoint ({ModelCheckpoint.ConfigFile}, "
                    + $"{ModelCheckpoint.WeightsFile}) nor a run "
                + "with checkpoints; give one that does.");
    }

    /// <summary>
    /// Compares all that config.json states, which is all that decides what a model computes from its weights.
    /// </summary>
    private static void RequireSameModel(string checkpoint, ModelConfig saved, ModelConfig configured)
    {
        var (before, now) = (Settings(saved), Settings(configured));
        var differences = before.Select(item => item.Key).Union(now.Select(item => item.Key), StringComparer.Ordinal)
            .Where(key => key is not (Context or MaskedShare) && Text(before, key) != Text(now, key))
            .Select(key => $"{key} {Text(before, key)} there, {Text(now, key)} here").ToList();
        if (differences.Count > 0)
        {
            throw new InvalidInputException(
                $"training.from: {checkpoint}: is another model than the configured one "
                    + $"({string.Join("; ", differences)}); configure the "
                + "checkpoint's model and vocabulary, or start from another checkpoint.");
        }
    }

    private static void RequireSameTokenizer(string checkpoint, Tokenizer? tokenizer)
    {
        if (tokenizer is null || !File.Exists(Path.Combine(checkpoint, "tokenizer.json")))
            return;
        if (TokenizerFiles.Load(checkpoint).Fingerprint != tokenizer.Fingerprint)
        {
            throw new InvalidInputException(
                $"training.from: {checkpoint}: was trained with another tokenizer than that of the data, so its token "
                    + "ids mean other text; "
                + $"prepare the data with --tokenizer.kind file --tokenizer.path {checkpoint}.");
        }
    }

    private static JsonObject Settings(ModelConfig config) => JsonNode.Parse(ModelConfigJson.Write(config))!.AsObject();

    private static string Text(JsonObject settings, string key) => settings[key]?.ToJsonString() ?? "none";
}
