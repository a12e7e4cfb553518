using System.Security.Cryptography;
using System.Text;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Running;

/// <summary>Digests of what decides a run's outcome, and names for its directory.</summary>
internal static class RunFingerprint
{
    private const int LongestName = 100;

    // Where a run works and what it reports; nothing here changes a loss.
    private static readonly HashSet<string> Irrelevant = new(StringComparer.Ordinal)
    {
        "training.output", "training.threads", "training.device", "evaluation.sample_prompt",
        "evaluation.sample_tokens",
    };

    private static readonly HashSet<string> Reporting =
        new(StringComparer.Ordinal) { "checkpoint", "logging", "inspection" };

    /// <summary>A digest of the settings that decide the outcome; 64 hexadecimal digits.</summary>
    public static string Of(TrainingConfiguration configuration)
    {
        // Differences from the defaults only, so that a field added later does not make all earlier runs unknown.
        var defaults = Settings(new TrainingConfiguration()).ToDictionary();
        var settings = Settings(configuration).Where(setting => setting.Value != defaults[setting.Key])
            .Select(setting => $"{setting.Key}={setting.Value}\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(settings))));
    }

    /// <summary>The settings that decide the outcome, defaults included.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Settings(TrainingConfiguration configuration)
        => ConfigurationBinder.Fields(typeof(TrainingConfiguration))
            .Where(field => !Irrelevant.Contains(field.Key) && !Reporting.Contains(field.SectionName))
            .Select(
                field => new KeyValuePair<string, string>(
                    field.Key, ConfigurationBinder.Text(field.Get(configuration))));

    /// <summary>A label with what file systems or shells may misread replaced.</summary>
    public static string FileName(string label)
    {
        var safe = string.Concat(
            label.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '+' or '.' or '_' ? c : '_')).TrimStart('.');
        return safe.Length <= LongestName ? safe : safe[..LongestName];
    }
}
