using AnTransformer.Fuzz.Formats;

namespace AnTransformer.Fuzz;

/// <summary>All formats there are.</summary>
internal static class AllFormats
{
    private static readonly Func<IFormat>[] Makers =
    [
        () => new SafetensorsFormat(), () => new TokenShardFormat(), () => new TokenizerFormat(), () => new YamlFormat(), () => new ParquetFormat(),
        () => new JsonLinesFormat(), () => new CsvFormat(), () => new RunStateFormat(), () => new ModelConfigFormat(),
        () => new ForeignConfigFormat(), () => new ForeignIndexFormat(),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Makers.Select(make => make().Name)];

    /// <summary>A format of its name.</summary>
    public static IFormat Create(string name) => Makers.Select(make => make()).First(format => format.Name == name);
}
