using System.Text;
using System.Text.RegularExpressions;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tests.Tokenization;

/// <summary>
/// Byte-pair encoding as GPT-2's <c>encoder.py</c> and the paper of Sennrich et al. write it: slow, obvious, and sharing no
/// code with the implementation but the text of the regular expression. Works on Latin-1 strings, one character a byte.
/// </summary>
internal static partial class ReferenceBytePairs
{
    /// <summary>Encodes a word: the best pair is merged everywhere, until none is left.</summary>
    public static List<string> Encode(string word, IReadOnlyDictionary<(string, string), int> ranks)
    {
        var parts = word.Select(character => character.ToString()).ToList();
        while (true)
        {
            var pairs = parts.Zip(parts.Skip(1)).Where(ranks.ContainsKey).ToList();
            if (pairs.Count == 0)
                return parts;
            parts = Merge(parts, pairs.MinBy(pair => ranks[pair]));
        }
    }

    /// <summary>Learns merges, as files write them: counts all pairs anew for each.</summary>
    public static List<string> Learn(IEnumerable<string> texts, int merges, int minimumFrequency)
    {
        var order = ByteOrder().Select((value, id) => (text: $"{(char)value}", id)).ToDictionary(x => x.text, x => x.id);
        var words = texts.SelectMany(text => Words().Matches(text).Select(match => Latin1(match.Value)))
            .GroupBy(word => word)
            .Select(group => (Parts: group.Key.Select(character => character.ToString()).ToList(), Count: group.Count()))
            .ToList();
        var learned = new List<string>();
        for (var tokens = 256; tokens < 256 + merges; tokens = order.Count)
        {
            var best = words.SelectMany(word => word.Parts.Zip(word.Parts.Skip(1)).Select(pair => (pair, word.Count)))
                .GroupBy(x => x.pair)
                .Select(group => (Pair: group.Key, Count: group.Sum(x => x.Count)))
                .Where(x => x.Count >= minimumFrequency)
                .OrderByDescending(x => x.Count).ThenBy(x => order[x.Pair.First]).ThenBy(x => order[x.Pair.Second])
                .FirstOrDefault();
            if (best.Count == 0)
                break;
            learned.Add($"{ToFileText(best.Pair.First)} {ToFileText(best.Pair.Second)}");
            order.TryAdd(best.Pair.First + best.Pair.Second, order.Count);
            words = [.. words.Select(word => (Merge(word.Parts, best.Pair), word.Count))];
        }

        return learned;
    }

    public static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    // GPT-2's bytes_to_unicode: printable Latin-1 first, the rest after it.
    public static IEnumerable<int> ByteOrder()
    {
        int[] printable = [.. Enumerable.Range('!', 94), .. Enumerable.Range(0xA1, 12), .. Enumerable.Range(0xAE, 82)];
        return printable.Concat(Enumerable.Range(0, 256).Except(printable));
    }

    public static string ToFileText(string latin1)
    {
        var order = ByteOrder().ToList();
        return string.Concat(latin1.Select(value => order.IndexOf(value) is var i && i < 188 ? value : (char)(256 + i - 188)));
    }

    [GeneratedRegex(Gpt2PreTokenizer.Pattern, RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 60_000)]
    private static partial Regex Words();

    private static List<string> Merge(List<string> parts, (string First, string Second) pair)
    {
        var merged = new List<string>();
        for (var i = 0; i < parts.Count; i++)
        {
            var applies = i + 1 < parts.Count && parts[i] == pair.First && parts[i + 1] == pair.Second;
            merged.Add(applies ? parts[i] + parts[++i] : parts[i]);
        }

        return merged;
    }
}
