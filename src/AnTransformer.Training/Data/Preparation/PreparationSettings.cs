using System.Text.Json;
using AnTransformer.Configuration;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// What a run's data are prepared from and how: the file <c>settings.json</c> in the directory <c>data.path</c>, by
/// which another configuration is kept from training on them.
/// </summary>
internal sealed record PreparationSettings
{
    public required IReadOnlyList<string> Text { get; init; }

    public required double ValidationFraction { get; init; }

    public required string TextField { get; init; }

    public required int SectionBytes { get; init; }

    /// <summary>Absent in the settings of versions that read UTF-8 only.</summary>
    public string Encoding { get; init; } = "auto";

    public required string Tokenizer { get; init; }

    public required int VocabSize { get; init; }

    public required string? TokenizerPath { get; init; }

    /// <summary>Absent in the settings of versions that had no such option, like the next.</summary>
    public string? EndOfText { get; init; }

    public string SpecialTokens { get; init; } = "plain";

    private static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
    };

    public static PreparationSettings Of(TrainingConfiguration configuration) => new()
    {
        Text = configuration.Data.Text,
        ValidationFraction = configuration.Data.ValidationFraction,
        TextField = configuration.Data.TextField,
        SectionBytes = configuration.Data.SectionBytes,
        Encoding = EnumSpelling.Of(configuration.Data.Encoding),
        Tokenizer = EnumSpelling.Of(configuration.Tokenizer.Kind),
        VocabSize = configuration.Tokenizer.VocabSize,
        TokenizerPath = configuration.Tokenizer.Path,
        EndOfText = configuration.Tokenizer.EndOfText,
        SpecialTokens = EnumSpelling.Of(configuration.Tokenizer.SpecialTokens),
    };

    /// <summary>Writes the file into a directory that has not got its name yet.</summary>
    public void Save(string directory)
        => File.WriteAllText(
            Path.Combine(directory, DatasetDirectory.SettingsFile), JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>Checks that an existing directory was prepared as a configuration with <c>data.text</c> says.</summary>
    /// <exception cref="InvalidInputException">It was not, or it does not say how it was.</exception>
    public static void Require(TrainingConfiguration configuration)
    {
        var directory = configuration.Data.Path;
        var path = Path.Combine(directory, DatasetDirectory.SettingsFile);
        if (!File.Exists(path))
        {
            throw new InvalidInputException(
                $"{directory}: has no {DatasetDirectory.SettingsFile}, so that it may be of other text than data.text; "
                    + "to train on what it "
                + "holds, give no text (--data.text []), or remove the directory to prepare the text, or choose "
                + "another data.path.");
        }

        var before = StateFile.Read<PreparationSettings>(
            path, Json, settings => settings.Text.Any(text => text is null) ? "a text is null" : null,
            "settings of prepared data", "remove the directory to prepare it again, or choose another data.path");
        if (before.DifferencesFrom(Of(configuration)) is { Count: > 0 } differences)
        {
            throw new InvalidInputException(
                $"{directory}: was prepared from other text or with other settings than the configuration's "
                + $"({string.Join("; ", differences)}); remove the directory to prepare it again, or choose another "
                + "data.path.");
        }
    }

    private List<string> DifferencesFrom(PreparationSettings now)
    {
        var differences = new List<string>();
        Compare(
            "data.text", string.Join(", ", Text), string.Join(", ", now.Text),
            Text.SequenceEqual(now.Text, StringComparer.Ordinal));
        Compare("data.validation_fraction", ValidationFraction, now.ValidationFraction);
        Compare("data.text_field", TextField, now.TextField);
        Compare("data.section_bytes", SectionBytes, now.SectionBytes);
        Compare("data.encoding", Encoding, now.Encoding);
        Compare("tokenizer.kind", Tokenizer, now.Tokenizer);
        Compare("tokenizer.vocab_size", VocabSize, now.VocabSize);
        Compare("tokenizer.path", TokenizerPath ?? "null", now.TokenizerPath ?? "null");
        Compare("tokenizer.end_of_text", EndOfText ?? "null", now.EndOfText ?? "null");
        Compare("tokenizer.special_tokens", SpecialTokens, now.SpecialTokens);
        return differences;

        void Compare<T>(string key, T before, T after, bool? same = null)
        {
            if (!(same ?? EqualityComparer<T>.Default.Equals(before, after)))
                differences.Add($"{key}: {Printable.Change(Plain(before), Plain(after))}");
        }

        static string Plain<T>(T value) => FormattableString.Invariant($"{value}");
    }
}
