namespace AnTransformer.Generation;

/// <summary>
/// Cuts a text that arrives in pieces before the first of some texts. What may be the beginning of one is held back
/// until it is clear that it is not.
/// </summary>
public sealed class StopSequences
{
    private readonly string[] _stops;
    private string _held = "";

    /// <summary>Waits for some texts.</summary>
    /// <param name="stops">None is empty.</param>
    /// <exception cref="InvalidInputException">One is empty.</exception>
    public StopSequences(IEnumerable<string> stops)
    {
        _stops = [.. stops];
        if (_stops.Any(stop => stop.Length == 0))
            throw new InvalidInputException("a stop text is empty; give at least one character.");
    }

    /// <summary>Whether one of the texts has come; nothing comes after it.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Takes a piece of the text.</summary>
    /// <param name="piece">What follows the pieces before.</param>
    /// <returns>What is known to lie before any of the texts.</returns>
    public string Append(string piece)
    {
        if (IsStopped)
            return "";
        var text = _held + piece;
        var first = -1;
        foreach (var stop in _stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (first < 0 || at < first))
                first = at;
        }

        if (first >= 0)
        {
            (IsStopped, _held) = (true, "");
            return text[..first];
        }

        var known = text.Length - Pending(text);
        _held = text[known..];
        return text[..known];
    }

    /// <summary>What was held back, once no more comes.</summary>
    public string Flush()
    {
        var rest = _held;
        _held = "";
        return rest;
    }

    /// <summary>The longest end of a text that is the beginning of a stop text.</summary>
    private int Pending(string text)
    {
        var longest = 0;
        foreach (var stop in _stops)
        {
            for (var length = Math.Min(text.Length, stop.Length - 1); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                    longest = length;
            }
        }

        return longest;
    }
}
