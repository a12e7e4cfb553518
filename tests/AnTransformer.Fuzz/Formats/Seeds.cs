using System.Text;
using System.Text.Json.Nodes;

namespace AnTransformer.Fuzz.Formats;

/// <summary>Valid files and texts to begin with.</summary>
internal static class Seeds
{
    /// <summary>The bytes of an embedded file.</summary>
    public static byte[] File(string name)
    {
        using var stream = typeof(Seeds).Assembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException(name);
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    /// <summary>The text of an embedded file.</summary>
    public static string Text(string name) => Encoding.UTF8.GetString(File(name));

    /// <summary>JSON as a tree that may be changed.</summary>
    public static JsonNode Json(string text) => JsonNode.Parse(text)!;

    /// <summary>One of several.</summary>
    public static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];

    /// <summary>Mostly 1, sometimes a few.</summary>
    public static int FewChanges(this Random random) => 1 + (random.Next(2) * random.Next(5));
}
