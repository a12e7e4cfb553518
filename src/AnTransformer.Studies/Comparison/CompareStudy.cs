using System.Globalization;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>
/// Compares architectures or variants, each at its own tuned learning rate: how many tokens, operations and seconds each needs to reach the
/// loss that the reference ends with.
/// </summary>
public sealed class CompareStudy : IStudy
{
    private readonly CompareConfiguration _settings;
    private readonly TuningPlan _plan;
    private readonly IReadOnlyList<string> _sides;
    private readonly IReadOnlyList<string> _sizes;

    /// <summary>Plans the study.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="baseConfiguration">What all runs have.</param>
    /// <param name="data">Prepares data and knows vocabularies.</param>
    /// <exception cref="InvalidInputException">The settings cannot be used.</exception>
    public CompareStudy(CompareConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        _settings = settings;
        var place = baseConfiguration.Place;
        var sides = settings.Sides.ConvertAll(text => Variant.ParseSide(text, $"{place}: sides"));
        var sizes = settings.Sizes.Count == 0 ? [Variant.None] : settings.Sizes.ConvertAll(text => Variant.Parse(text, $"{place}: sizes"));
        _sides = Distinct(sides, $"{place}: sides");
        _sizes = Distinct(sizes, $"{place}: sizes");
        if (!_sides.Contains(settings.Reference))
            throw new InvalidInputException($"{place}: reference '{settings.Reference}' is none of the sides {string.Join(", ", _sides)}.");

        var rates = new RatesByName(settings.SideLearningRates, [.. _sides], [.. _sizes], $"{place}: side_learning_rates");
        var factory = new CellFactory(settings, baseConfiguration, data);
        long?[] budgets = settings.MaxTokens.Count == 0 ? [null] : [.. settings.MaxTokens.Order().Select(tokens => (long?)tokens)];
        _plan = new TuningPlan(
        [
            .. from size in sizes
               from budget in budgets
               from side in sides
               select factory.Create(
                   Axes(side.Name, size.Name, budget),
                   [.. factory.Fields(size, "size"), .. factory.Fields(side, "side"), .. budget is { } tokens ? factory.Budget(tokens) : []],
                   rates.Of(size.Name, side.Name)),
        ]);
    }

    /// <inheritdoc/>
    public string Title => $"Comparison of {string.Join(", ", _sides)}";

    /// <inheritdoc/>
    public StudyConfiguration Settings => _settings;

    /// <inheritdoc/>
    public IStudyPlan Plan => _plan;

    /// <inheritdoc/>
    public StudyFindings Findings(StudyState state) => ComparisonFindings.Create(Compare(state), _settings);

    /// <summary>The comparison at every size, as far as results are known.</summary>
    /// <param name="state">What is known.</param>
    public IReadOnlyList<SizeComparison> Compare(StudyState state)
        => _sizes.Select(size => SizeComparison.Create(
            size,
            _sides.Select(side => new SideAtSize(
                side,
                _plan.Cells.Where(cell => cell["side"] == side && cell["size"] == size).Select(cell => CellOutcome.Of(cell, state.Results)).ToList())).ToList(),
            _settings.Reference)).ToList();

    private static IReadOnlyList<KeyValuePair<string, string>> Axes(string side, string size, long? budget)
        =>
        [
            new("side", side),
            new("size", size),
            .. budget is { } tokens ? [new("budget", tokens.ToString(CultureInfo.InvariantCulture))] : Array.Empty<KeyValuePair<string, string>>(),
        ];

    private static List<string> Distinct(IReadOnlyList<Variant> variants, string place)
    {
        var names = variants.Select(variant => variant.Name).ToList();
        var twice = names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null ? names : throw new InvalidInputException($"{place}: '{twice}' is there twice; give each a name of its own.");
    }
}
