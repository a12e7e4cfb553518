using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AnTransformer.Configuration;

/// <summary>
/// How values of enums are spelled in files and on command lines: <c>LearningRate</c> is <c>learning_rate</c>, unless
/// <see cref="JsonStringEnumMemberNameAttribute"/> names the word, as for <c>utf-8</c>.
/// </summary>
public static class EnumSpelling
{
    private static readonly ConcurrentDictionary<Type, (Enum Value, string Word)[]> Known = new();

    /// <summary>The word of a value.</summary>
    /// <param name="value">A value that its type names.</param>
    /// <exception cref="ArgumentOutOfRangeException">Its type does not.</exception>
    public static string Of(Enum value)
    {
        ArgumentNullException.ThrowIfNull(value);
        foreach (var (known, word) in All(value.GetType()))
        {
            if (known.Equals(value))
                return word;
        }

        throw new ArgumentOutOfRangeException(nameof(value), value, $"{value.GetType().Name} has no such value.");
    }

    /// <summary>All words of a type, in the order of its values.</summary>
    /// <param name="type">An enum.</param>
    public static IReadOnlyList<string> Words(Type type) => [.. All(type).Select(entry => entry.Word)];

    /// <summary>The value of a word; null for a word that is none of the type's.</summary>
    /// <param name="type">An enum.</param>
    /// <param name="word">A word, in its own case.</param>
    public static Enum? Find(Type type, string word)
        => Array.Find(All(type), entry => string.Equals(entry.Word, word, StringComparison.Ordinal)).Value;

    /// <summary>The value of a word.</summary>
    /// <typeparam name="T">An enum.</typeparam>
    /// <param name="word">A word, in its own case.</param>
    /// <param name="what">What errors call it, with its place: <c>config.json: constraint</c>.</param>
    /// <exception cref="InvalidInputException">The word is none of the type's.</exception>
    public static T Parse<T>(string word, string what)
        where T : struct, Enum
    {
        if (Find(typeof(T), word) is T value)
            return value;
        var words = Words(typeof(T));
        throw new InvalidInputException(
            $"{what} '{Printable.Excerpt(word)}' is unknown; it must be {string.Join(", ", words.SkipLast(1))} or "
                + $"{words[^1]}.");
    }

    private static (Enum Value, string Word)[] All(Type type) => Known.GetOrAdd(type, static type =>
    [
        .. type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => ((Enum)field.GetValue(null)!,
            field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
                ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name))),
    ]);
}
