namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Python's <c>json</c> writes <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c> for numbers that JSON cannot express.
/// They stand in fields that nobody reads here and must not keep the text beside them from being read.
/// </summary>
internal static class PythonNumbers
{
    /// <returns>The same with a number of the same length for each; null when there is none.</returns>
    public static byte[]? Replace(ReadOnlySpan<byte> json)
    {
        byte[]? replaced = null;
        for (var i = 0; i < json.Length; i++)
        {
            if (json[i] == '"')
            {
                for (i++; i < json.Length && json[i] != '"'; i++)
                    i += json[i] == '\\' ? 1 : 0;
                continue;
            }

            var rest = json[i..];
            var length = rest.StartsWith("NaN"u8)
                ? 3
                : rest.StartsWith("Infinity"u8)
                ? 8
                : rest.StartsWith("-Infinity"u8)
                ? 9
                : 0;
            if (length == 0)
                continue;
            replaced ??= json.ToArray();
            replaced.AsSpan(i, length).Fill((byte)' ');
            replaced[i] = (byte)'0';
            i += length - 1;
        }

        return replaced;
    }
}
