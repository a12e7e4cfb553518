using System.Text;

namespace AnTransformer.Training.Tokenization.Normalization;

/// <summary>
/// Unicode normalization form C (Unicode Standard Annex #15) on UTF-8. Our own, because .NET's <c>string.Normalize</c>
/// does nothing when globalization is invariant, and ids must not depend on how a program is published. Bytes that are
/// not valid UTF-8 are kept.
/// </summary>
internal static class NfcNormalizer
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28;

    // The first lead byte of characters from U+0300 on: below it nothing combines with what stands before.
    private const byte FirstCombiningLead = 0xCC;

    private static readonly Dictionary<int, (int First, int Second)> Decompositions = [];
    private static readonly Dictionary<(int First, int Second), int> Compositions = [];
    private static readonly Dictionary<int, byte> CombiningClasses = [];
    private static readonly HashSet<int> Active = [];

    static NfcNormalizer()
    {
        for (var data = NfcData.Compositions; data.Length > 0; data = data[3..])
        {
            Decompositions[data[0]] = (data[1], data[2]);
            Compositions[(data[1], data[2])] = data[0];
            Active.Add(data[2]);
        }

        for (var data = NfcData.OneWayDecompositions; data.Length > 0; data = data[3..])
        {
            Decompositions[data[0]] = (data[1], data[2]);
            Active.Add(data[0]);
        }

        for (var data = NfcData.CombiningClasses; data.Length > 0; data = data[3..])
        {
            for (var value = data[0]; value <= data[1]; value++)
            {
                CombiningClasses[value] = (byte)data[2];
                Active.Add(value);
            }
        }

        for (var vowel = 0; vowel < VowelCount; vowel++)
            Active.Add(VowelBase + vowel);
        for (var trail = 1; trail < TrailCount; trail++)
            Active.Add(TrailBase + trail);
    }

    /// <summary>Normalizes a text; returns the same span when nothing changes.</summary>
    /// <param name="text">Usually UTF-8.</param>
    public static ReadOnlySpan<byte> Normalize(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAnyInRange(FirstCombiningLead, (byte)0xFF) < 0)
            return text;

        var result = new List<byte>(text.Length);
        var copied = 0;
        var characters = new List<int>();
        while (NextSegment(text[copied..], characters, out var start, out var end))
        {
            result.AddRange(text.Slice(copied, start));
            Decompose(characters);
            Compose(characters);
            AppendUtf8(characters, result);
            copied += end;
        }

        if (copied == 0)
            return text;
        result.AddRange(text[copied..]);
        return result.ToArray();
    }

    // Finds the next stretch of valid characters that may change: from a character that nothing before can combine with
    // to the next such character, with an active one (a mark, a jamo, a one-way decomposition) between.
    private static bool NextSegment(ReadOnlySpan<byte> text, List<int> characters, out int start, out int end)
    {
        start = 0;
        var active = false;
        characters.Clear();
        for (end = 0; end < text.Length;)
        {
            var valid =
                Rune.DecodeFromUtf8(text[end..], out var rune, out var length) == System.Buffers.OperationStatus.Done;
            var joins = valid && Active.Contains(rune.Value);
            if (!joins || !valid)
            {
                if (active)
                    return true;
                characters.Clear();
                if (!valid)
                {
                    end += length;
                    start = end;
                    continue;
                }

                start = end;
            }

            active |= joins;
            characters.Add(rune.Value);
            end += length;
        }

        return active;
    }

    private static void Decompose(List<int> characters)
    {
        for (var i = 0; i < characters.Count;)
        {
            var value = characters[i];
            if (Decompositions.TryGetValue(value, out var parts))
            {
                characters[i] = parts.First;
                if (parts.Second != 0)
                    characters.Insert(i + 1, parts.Second);
            }
            else if (value is >= HangulBase and < HangulBase + (LeadCount * VowelCount * TrailCount))
            {
                var index = value - HangulBase;
                characters[i] = LeadBase + (index / (VowelCount * TrailCount));
                characters.Insert(i + 1, VowelBase + (index % (VowelCount * TrailCount) / TrailCount));
                if (index % TrailCount != 0)
                    characters.Insert(i + 2, TrailBase + (index % TrailCount));
                i++;
            }
            else
            {
                i++;
            }
        }

        // Canonical order: a stable sort of each run of marks by combining class.
        for (var i = 1; i < characters.Count; i++)
        {
            var value = characters[i];
            var order = ClassOf(value);
            var j = i;
            for (; order != 0 && j > 0 && ClassOf(characters[j - 1]) > order; j--)
                characters[j] = characters[j - 1];
            characters[j] = value;
        }
    }

    private static void Compose(List<int> characters)
    {
        var starter = -1;
        var lastClass = 0;
        var count = 0;
        foreach (var value in characters.ToArray())
        {
            var order = ClassOf(value);
            var blocked = starter < 0 || (count - 1 > starter && (lastClass >= order || lastClass == 0));
            if (!blocked && TryCompose(characters[starter], value, out var composed))
            {
                characters[starter] = composed;
                continue;
            }

            if (order == 0)
                starter = count;
            lastClass = order;
            characters[count++] = value;
        }

        characters.RemoveRange(count, characters.Count - count);
    }

    private static bool TryCompose(int first, int second, out int composed)
    {
        if (first is >= LeadBase and < LeadBase + LeadCount && second is >= VowelBase and < VowelBase + VowelCount)
        {
            composed = HangulBase + ((((first - LeadBase) * VowelCount) + (second - VowelBase)) * TrailCount);
            return true;
        }

        if (first is >= HangulBase and < HangulBase + (LeadCount * VowelCount * TrailCount)
            && (first - HangulBase) % TrailCount == 0 && second is > TrailBase and < TrailBase + TrailCount)
        {
            composed = first + (second - TrailBase);
            return true;
        }

        return Compositions.TryGetValue((first, second), out composed);
    }

    private static byte ClassOf(int value) => CombiningClasses.GetValueOrDefault(value);

    private static void AppendUtf8(List<int> characters, List<byte> result)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (var value in characters)
            result.AddRange(bytes[..new Rune(value).EncodeToUtf8(bytes)]);
    }
}
