using AnTransformer.Architectures;

namespace AnTransformer.Studies.Running;

/// <summary>A named set of fields that a run or several have besides the base: a side, a size, an ablation.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Overrides">Keys and values of fields of the training configuration.</param>
public sealed record Variant(string Name, IReadOnlyList<KeyValuePair<string, string>> Overrides)
{
    private static readonly Dictionary<string, string> ShortKeys = new(StringComparer.Ordinal)
    {
        ["d"] = "model.hidden_size",
        ["heads"] = "model.num_attention_heads",
        ["layers"] = "model.num_hidden_layers",
        ["f"] = "model.intermediate_size",
        ["context"] = "model.max_position_embeddings",
        ["batch"] = "training.batch_size",
    };

    /// <summary>The base as it is.</summary>
    public static Variant None { get; } = new("", []);

    /// <summary>
    /// Reads <c>NAME: key=value key=value</c>, or the fields alone, which then are the name. Keys are those of the
    /// training configuration, or <c>d</c>, <c>heads</c>, <c>layers</c>, <c>f</c>, <c>context</c>, <c>batch</c> for
    /// short.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="place">Where it stands, for errors.</param>
    /// <exception cref="InvalidInputException">It is not of this form.</exception>
    public static Variant Parse(string text, string place)
    {
        var (name, fields) = Split(text);
        var overrides = new List<KeyValuePair<string, string>>();
        foreach (var field in fields.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals == field.Length - 1)
            {
                throw new InvalidInputException(
                    $"{place}: '{Printable.Excerpt(field)}' is not of the form key=value; write "
                        + $"'{Printable.Excerpt(text)}' as \"name: key=value key=value\", without spaces within a "
                        + "value.");
            }

            overrides.Add(new(ShortKeys.GetValueOrDefault(field[..equals], field[..equals]), field[(equals + 1)..]));
        }

        return name.Length > 0
            ? new Variant(name, overrides)
            : throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(text)}' has no name; write \"name: key=value key=value\".");
    }

    /// <summary>Reads a side: as <see cref="Parse"/>, and an architecture's name alone stands for it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="place">Where it stands, for errors.</param>
    /// <exception cref="InvalidInputException">It is not of this form, or names no architecture.</exception>
    public static Variant ParseSide(string text, string place)
    {
        var isBare = !text.Contains('=', StringComparison.Ordinal) && !text.Contains(": ", StringComparison.Ordinal);
        var side = isBare ? new Variant(text.Trim().TrimEnd(':'), []) : Parse(text, place);
        if (ArchitectureRegistry.Names.Contains(side.Name)
            && !side.Overrides.Any(field => field.Key is "model.architecture" or "architecture"))
            return side with { Overrides = [new("model.architecture", side.Name), .. side.Overrides] };
        return isBare
            ? throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(text)}' is no architecture "
                    + $"({string.Join(", ", ArchitectureRegistry.Names)}); for a variant write "
                    + $"\"{Printable.Excerpt(text)}: key=value\".")
            : side;
    }

    /// <summary>Reads sides; see <see cref="ParseSide"/>.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="place">Where they stand, for errors.</param>
    /// <exception cref="InvalidInputException">One is not of this form, or two have one name.</exception>
    public static List<Variant> ParseSides(IEnumerable<string> texts, string place)
        => Distinct(texts.Select(text => ParseSide(text, place)), place);

    /// <summary>Reads variants; see <see cref="Parse"/>.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="place">Where they stand, for errors.</param>
    /// <exception cref="InvalidInputException">One is not of this form, or two have one name.</exception>
    public static List<Variant> ParseAll(IEnumerable<string> texts, string place)
        => Distinct(texts.Select(text => Parse(text, place)), place);

    private static List<Variant> Distinct(IEnumerable<Variant> variants, string place)
    {
        var all = variants.ToList();
        var twice = all.GroupBy(variant => RunFingerprint.FileName(variant.Name))
            .FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null
            ? all
            : throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(twice)}' is there twice; give each a name of its own.");
    }

    private static (string Name, string Fields) Split(string text)
    {
        var colon = text.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? (text.Trim(), text) : (text[..colon].Trim(), text[(colon + 2)..]);
    }
}
