using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// Reads one YAML document. Built on the parser's events, since they alone keep every place and every duplicate key.
/// What a configuration has no use for (anchors, aliases, tags, several documents) is refused rather than half
/// understood.
/// </summary>
internal sealed class YamlReader
{
    private const int DeepestNesting = 32;

    private readonly string _name;
    private readonly Parser _parser;

    private YamlReader(string yaml, string name)
    {
        _name = name;
        _parser = new Parser(new StringReader(yaml));
    }

    /// <summary>Reads a document; null when it holds nothing but comments.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="InvalidInputException">
    /// It is not valid YAML, or uses what configurations do not allow.
    /// </exception>
    public static YamlValue? Read(string yaml, string name)
    {
        var reader = new YamlReader(yaml, name);
        try
        {
            return reader.ReadStream();
        }
        catch (InvalidOperationException e)
        {
            // The scanner's own, on some unfinished flow collections.
            var place = reader._parser.Current is { } last ? reader.Place(last.End) : name;
            throw new InvalidInputException(
                $"{place}: not valid YAML (an unfinished value after this place); correct the file there.", e);
        }
        catch (YamlException e)
        {
            var reason = Printable.Excerpt(e.Message.TrimEnd('.'), longest: 200);
            throw new InvalidInputException(
                $"{reader.Place(e.Start)}: not valid YAML ({reason}); correct the file there.", e);
        }
    }

    private YamlValue? ReadStream()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
            return null;
        _parser.Consume<DocumentStart>();
        var value = ReadValue(depth: 0);
        _parser.Consume<DocumentEnd>();
        if (_parser.TryConsume<DocumentStart>(out var second))
            throw Error(second, "a second document begins here; a configuration is one document, so remove the '---'");
        return value;
    }

    private YamlValue ReadValue(int depth)
    {
        if (_parser.Accept<AnchorAlias>(out var alias))
            throw Error(
                alias,
                $"the alias '*{Printable.Excerpt(alias.Value.ToString())}' is not supported in configurations; write "
                    + "the value out");
        if (_parser.Accept<NodeEvent>(out var node) && !node.Tag.IsEmpty)
            throw Error(
                node,
                $"the tag '{Printable.Excerpt(node.Tag.ToString())}' is not supported in configurations; remove it");
        if (depth > DeepestNesting)
            throw Error(_parser.Current!, "nested too deeply for a configuration; remove brackets");
        if (_parser.TryConsume<Scalar>(out var scalar))
            return Text(scalar);
        return _parser.TryConsume<SequenceStart>(out var list)
            ? ReadList(list, depth)
            : ReadMapping(_parser.Consume<MappingStart>(), depth);
    }

    private YamlList ReadList(SequenceStart start, int depth)
    {
        var items = new List<YamlValue>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
            items.Add(ReadValue(depth + 1));
        return new YamlList(Place(start.Start), items);
    }

    private YamlMapping ReadMapping(MappingStart start, int depth)
    {
        var entries = new List<(YamlText Key, YamlValue Value)>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = _parser.Current!;
            if (ReadValue(depth + 1) is not YamlText key)
                throw Error(at, "a key must be a plain name, not a list or mapping");
            if (entries.Find(entry => entry.Key.Text == key.Text).Key is { } first)
            {
                throw new InvalidInputException(
                    $"{key.Place}: duplicate key '{Printable.Excerpt(key.Text)}', first given at {first.Place}; "
                    + "remove one of them.");
            }

            entries.Add((key, ReadValue(depth + 1)));
        }

        return new YamlMapping(Place(start.Start), entries);
    }

    private YamlText Text(Scalar scalar) => new(Place(scalar.Start), scalar.Value, scalar.Style is ScalarStyle.Plain);

    private string Place(Mark mark) => $"{_name}:{mark.Line}:{mark.Column}";

    private InvalidInputException Error(ParsingEvent at, string message) => new($"{Place(at.Start)}: {message}.");
}
