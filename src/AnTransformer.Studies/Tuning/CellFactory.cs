using System.Globalization;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Tuning;

/// <summary>Makes cells of a base configuration and what sets them apart.</summary>
internal sealed class CellFactory
{
    private readonly TunedConfiguration _settings;
    private readonly BaseConfiguration _base;
    private readonly StudyData _data;
    private readonly List<(string Key, string Option)> _owned = [];

    /// <summary>Prepares to make cells.</summary>
    /// <param name="settings">The study's configuration.</param>
    /// <param name="baseConfiguration">What all runs have.</param>
    /// <param name="data">Prepares data and knows vocabularies.</param>
    /// <exception cref="InvalidInputException">The command line sets what the study sets.</exception>
    public CellFactory(TunedConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        (_settings, _base, _data) = (settings, baseConfiguration, data);
        Own(
            "optimizer.learning_rate",
            settings is LadderConfiguration ? "--learning-rates or --side-learning-rates" : "--learning-rates");
        Own("training.seed", "--seeds");
    }

    /// <summary>
    /// Refuses a field from now on in what the user gives runs, since the study sets it and it would have no effect.
    /// </summary>
    /// <param name="key">The field's key.</param>
    /// <param name="option">The study's own option for it.</param>
    /// <exception cref="InvalidInputException">The command line sets it.</exception>
    public void Own(string key, string option)
    {
        _base.RefuseSet(key, option);
        _owned.Add((key, option));
    }

    /// <summary>A cell.</summary>
    /// <param name="axes">What sets it apart, by column name; joined, they are the label of its runs.</param>
    /// <param name="overrides">Fields of its runs with the place that errors name.</param>
    /// <param name="rates">Learning rates to begin with; null for the study's.</param>
    /// <param name="maxExtensions">How often the grid may grow; null for the study's.</param>
    /// <exception cref="InvalidInputException">The fields cannot be used.</exception>
    public TunedCell Create(
        IReadOnlyList<KeyValuePair<string, string>> axes,
        IReadOnlyList<(string Key, string Value, string Place)> overrides,
        IReadOnlyList<double>? rates = null,
        int? maxExtensions = null)
    {
        var label = string.Join('-', axes.Where(axis => axis.Value.Length > 0).Select(axis => axis.Value));
        var cell = new TunedCell(axes, _settings, rates ?? _settings.LearningRates, Create, maxExtensions);
        // what cannot be used should be known before anything runs
        cell.Run(cell.InitialRates[0], _settings.Seeds[0]);
        return cell;

        PlannedRun Create(double rate, long seed)
        {
            var configuration = _base.Compose(
            [
                .. overrides.Select(field => (field.Key, RateExpression.Resolve(field.Value, rate), field.Place)),
                ("optimizer.learning_rate", rate.ToString("R", CultureInfo.InvariantCulture),
                    _base.Place("learning_rates")),
                ("training.seed", seed.ToString(CultureInfo.InvariantCulture), _base.Place("seeds")),
            ]);
            return new PlannedRun(
                $"{label}-lr{TunedCell.RateText(rate)}-seed{seed}", configuration, axes,
                _data.VocabularySize(configuration));
        }
    }

    /// <summary>The fields of a variant with the place that errors name.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="key">The study's field that lists it.</param>
    /// <exception cref="InvalidInputException">One is a field that the study itself sets.</exception>
    public IReadOnlyList<(string Key, string Value, string Place)> Fields(Variant variant, string key)
    {
        var place = $"{_base.Place(key)}: '{Printable.Excerpt(variant.Name)}'";
        foreach (var (given, _) in variant.Overrides)
        {
            BaseConfiguration.RefusePlaceOfWork(given, place);
            _owned.ForEach(owned => BaseConfiguration.Refuse(given, place, owned.Key, $"use {owned.Option}"));
        }

        return variant.Overrides.Select(field => (field.Key, field.Value, place)).ToList();
    }

    /// <summary>Fields that set a token budget.</summary>
    public IEnumerable<(string Key, string Value, string Place)> Budget(long tokens)
    {
        yield return ("training.steps", "null", _base.Place("max_tokens"));
        yield return ("training.max_tokens", tokens.ToString(CultureInfo.InvariantCulture), _base.Place("max_tokens"));
    }
}
