using System.Text.Json;
using AnTransformer.Files;

namespace AnTransformer.Training.Runs;

/// <summary>
/// Reads the small JSON files by which runs and studies go on. They may hold anything: users edit them, and disks fail.
/// </summary>
internal static class StateFile
{
    private const int LargestLength = 64 << 20;

    /// <summary>The content, without a byte order mark.</summary>
    /// <exception cref="InvalidInputException">It is no regular file, or too large to be what it should be.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be read.</exception>
    public static ReadOnlyMemory<byte> ReadAllBytes(string path)
    {
        ReadOnlyMemory<byte> content = RegularFile.ReadAllBytes(path, LargestLength);
        return content.Span.StartsWith("\uFEFF"u8) ? content[3..] : content;
    }

    /// <summary>Reads an object.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="options">How properties are named.</param>
    /// <param name="problem">What is wrong with an object that was read, or null.</param>
    /// <param name="kind">What the file should be, with its article, for errors.</param>
    /// <param name="remedy">What to do, for errors.</param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read, is no such object, or has a problem.
    /// </exception>
    public static T Read<T>(
        string path, JsonSerializerOptions options, Func<T, string?> problem, string kind, string remedy)
        where T : class
    {
        try
        {
            var value = JsonSerializer.Deserialize<T>(ReadAllBytes(path).Span, options);
            var objection = value is null ? "it is null" : problem(value);
            return objection is null
                ? value!
                : throw new InvalidInputException($"{path}: cannot be read as {kind} ({objection}); {remedy}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException || IsMalformed(e))
        {
            var reason = Printable.Excerpt(e.Message.TrimEnd('.'), longest: 200);
            throw new InvalidInputException($"{path}: cannot be read as {kind} ({reason}); {remedy}.", e);
        }
    }

    /// <summary>
    /// The exceptions by which System.Text.Json refuses bytes: wrong types and unpaired surrogates are not
    /// JsonExceptions.
    /// </summary>
    public static bool IsMalformed(Exception e)
        => e is JsonException or InvalidOperationException or FormatException or OverflowException or ArgumentException
            or NotSupportedException;
}
