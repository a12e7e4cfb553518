using System.Text.Json.Serialization;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// How the bytes of text and JSON files are characters. A byte-order mark wins over all of these but
/// <see cref="Utf8"/>.
/// </summary>
public enum TextEncoding
{
    /// <summary>UTF-8, unless a byte-order mark says UTF-16 or UTF-32; what has many NUL bytes is refused.</summary>
    Auto,

    /// <summary>UTF-8, whatever the bytes are: all of them are kept, but for a byte-order mark of UTF-8.</summary>
    [JsonStringEnumMemberName("utf-8")]
    Utf8,

    /// <summary>UTF-16 with the low byte first, as on Windows.</summary>
    [JsonStringEnumMemberName("utf-16le")]
    Utf16LittleEndian,

    /// <summary>UTF-16 with the high byte first.</summary>
    [JsonStringEnumMemberName("utf-16be")]
    Utf16BigEndian,

    /// <summary>ISO 8859-1: each byte is the character of that number.</summary>
    [JsonStringEnumMemberName("latin1")]
    Latin1,

    /// <summary>
    /// Latin-1 with quotes, dashes and the like where ISO has control characters: most files that are called Latin-1.
    /// </summary>
    [JsonStringEnumMemberName("windows-1252")]
    Windows1252,
}
