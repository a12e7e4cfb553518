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
        "training.output", "training.threads", "training.device", "evaluation.sample_prompt", "evaluation.sample_tokens",
    };

    /// <summary>A digest of the settings that decide the outcome; 64 hexadecimal digits.</summary>
    public static string Of(TrainingConfiguration configuration)
    {
        // Differences from the defaults only, so that a field added later does not make all earlier runs unknown.
        var settings = ConfigurationBinder.Differences(new TrainingConfiguration(), configuration, includeChangeable: true)
            .Where(difference => !Irrelevant.Contains(difference.Key) && !IsReporting(difference.Key))
            .Select(difference => $"{difference.Key}={difference.After}\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(settings))));
    }

    /// <summary>A label with what file systems or shells may misread replaced.</summary>
    public static string FileName(string label)
    {
        var safe = string.Concat(label.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '+' or '.' or '_' ? c : '_')).TrimStart('.');
        return safe.Length <= LongestName ? safe : safe[..LongestName];
    }

    private static bool IsReporting(string key)
        => key.StartsWith("checkpoint.", StringComparison.Ordinal) || key.StartsWith("logging.", StringComparison.Ordinal);
}
