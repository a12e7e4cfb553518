using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Tuning;

/// <summary>Sides at a ladder of sizes and token budgets, each cell with a learning rate of its own.</summary>
internal sealed class Ladder
{
    private readonly LadderConfiguration _settings;
    private readonly BaseConfiguration _base;
    private readonly StudyData _data;
    private readonly CellFactory _factory;

    /// <exception cref="InvalidInputException">The settings cannot be used.</exception>
    public Ladder(LadderConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        (_settings, _base, _data) = (settings, baseConfiguration, data);
        _factory = new CellFactory(settings, baseConfiguration, data);
        if (settings.MaxTokens.Count + settings.TokensPerParameter.Count > 0)
        {
            _factory.Own("training.steps", "--max-tokens");
            _factory.Own("training.max_tokens", "--max-tokens");
        }

        var sides = Variant.ParseSides(settings.Sides, baseConfiguration.Place("sides"));
        var sizes = settings.Sizes.Count == 0
            ? [Variant.None]
            : Variant.ParseAll(settings.Sizes, baseConfiguration.Place("sizes"));
        (Sides, Sizes) = (sides.ConvertAll(side => side.Name), sizes.ConvertAll(size => size.Name));
        var rates = new RatesByName(
            settings.SideLearningRates, Sides, Sizes, baseConfiguration.Place("side_learning_rates"));
        Plan = new TuningPlan(
        [
            .. from size in sizes
               from budget in Budgets(sides[0], size)
               from side in sides
               select _factory.Create(
                   Axes(side.Name, size.Name, budget),
                   [.. Fields(side, size), .. budget is { } tokens ? _factory.Budget(tokens) : []],
                   rates.Of(size.Name, side.Name)),
        ]);
    }

    /// <summary>Names of the sides.</summary>
    public IReadOnlyList<string> Sides { get; }

    /// <summary>Names of the sizes; one empty name when there is the base's only.</summary>
    public IReadOnlyList<string> Sizes { get; }

    public TuningPlan Plan { get; }

    /// <summary>Cells of a side at a size by budget, ascending.</summary>
    public IEnumerable<TunedCell> Cells(string side, string size)
        => Plan.Cells.Where(cell => cell["side"] == side && cell["size"] == size);

    private IEnumerable<(string Key, string Value, string Place)> Fields(Variant side, Variant size)
        => [.. _factory.Fields(size, "sizes"), .. _factory.Fields(side, "sides")];

    private IReadOnlyList<long?> Budgets(Variant side, Variant size)
    {
        if (_settings.MaxTokens.Count + _settings.TokensPerParameter.Count == 0)
            return [null];
        // The first side's parameters for all sides: they are compared at one budget.
        var configuration = _base.Compose(
            [.. Fields(side, size).Select(
                field => (field.Key, RateExpression.Resolve(field.Value, _settings.LearningRates[0]), field.Place)),
                    .. _factory.Budget(1)]);
        var parameters = ModelCost.Parameters(
            TrainingPlan.CreateModelConfig(configuration, _data.VocabularySize(configuration)));
        var byParameters = _settings.TokensPerParameter.Select(ratio => (long)Math.Round(ratio * parameters));
        return [.. _settings.MaxTokens.Concat(byParameters).Distinct().Order()];
    }

    private static IReadOnlyList<KeyValuePair<string, string>> Axes(string side, string size, long? budget)
        =>
        [
            new("side", side),
            new("size", size),
            .. budget is { } tokens
                ? [new("budget", tokens.ToString(CultureInfo.InvariantCulture))]
                : Array.Empty<KeyValuePair<string, string>>(),
        ];
}
