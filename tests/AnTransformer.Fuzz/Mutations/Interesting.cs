namespace AnTransformer.Fuzz.Mutations;

/// <summary>Values at which readers go wrong.</summary>
internal static class Interesting
{
    public static readonly long[] Integers =
    [
        0, 1, -1, 2, 3, 7, 8, 16, 127, 128, -128, 255, 256, 32_767, 32_768, 65_535, 65_536, int.MaxValue, int.MinValue, uint.MaxValue,
        1L << 32, 1L << 40, (1L << 53) + 1, long.MaxValue, long.MinValue, 20_240_520, 20_240_801,
    ];

    /// <summary>JSON values, also such as are none.</summary>
    public static readonly string[] Json =
    [
        "null", "true", "false", "0", "-0", "-1", "1", "1.5", "1e5", "1e308", "1e400", "-1e400", "0.1e-400", "9223372036854775807",
        "9223372036854775808", "-9223372036854775809", "2147483648", "123456789012345678901234567890", "NaN", "Infinity", "\"NaN\"", "\"\"",
        "\" \"", "\"a\\u0000b\"", "\"line\\nbreak\\r\\n\\u2028\"", "\"\\ud800\"", "\"\\udc00x\"", "\"\\ud83d\\ude00\"", "\"\\uFFFE\"", "[]", "{}",
        "[[]]", "[null]", "[1,-1]", "[1.5]", "[\"a\"]", "{\"\\ud800\":1}", "{\"a\":{}}", "[9223372036854775807,9223372036854775807]", "01", "+1", "'a'",
        "\"unfinished", "/*x*/1", "\"../../etc/passwd\"", "\"/\"",
    ];

    /// <summary>Pieces of text.</summary>
    public static readonly string[] Text =
    [
        "", " ", "\t", "\0", "\n", "\r", "\r\n", "\u2028", "\u0085", "\ufeff", "\"", "'", "\"\"", ",", ";", ":", ": ", "- ", "-", "#", "# ", "&a", "*a", "!!binary",
        "!!int ", "|", ">", "|\n  ", "---\n", "...\n", "{", "}", "[", "]", "{a: 1}", "[1, 2]", "~", "null", "true", "yes", "NaN", ".nan", ".inf", "-1", "0", "1e400",
        "1e308", "-1e308", "0x10", "0o7", "1_000", "1.000,5", "1,5", "9223372036854775808", "99999999999999999999", "\u00e9", "\ud83d\ude00", "\\ud800", "{{", "%d", "<<: *a",
        "? ", "@", "`", "=1+1",
    ];
}
