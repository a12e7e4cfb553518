using System.Globalization;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Tuning;

/// <summary>Makes cells of a base configuration and what sets them apart.</summary>
/// <param name="settings">The study's configuration.</param>
/// <param name="baseConfiguration">What all runs have.</param>
/// <param name="data">Prepares data and knows vocabularies.</param>
internal sealed class CellFactory(TunedConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
{
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
        var cell = new TunedCell(axes, settings, rates ?? settings.LearningRates, Create, maxExtensions);
        cell.Run(cell.InitialRates[0], settings.Seeds[0]);      // what cannot be used should be known before anything runs
        return cell;

        PlannedRun Create(double rate, long seed)
        {
            var configuration = baseConfiguration.Compose(
            [
                .. overrides.Select(field => (field.Key, RateExpression.Resolve(field.Value, rate), field.Place)),
                ("optimizer.learning_rate", rate.ToString("R", CultureInfo.InvariantCulture), baseConfiguration.Place("learning_rates")),
                ("training.seed", seed.ToString(CultureInfo.InvariantCulture), baseConfiguration.Place("seeds")),
            ]);
            return new PlannedRun($"{label}-lr{TunedCell.RateText(rate)}-seed{seed}", configuration, axes, data.VocabularySize(configuration));
        }
    }

    /// <summary>The fields of a variant with the place that errors name.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="key">The study's field that lists it.</param>
    public IEnumerable<(string Key, string Value, string Place)> Fields(Variant variant, string key)
        => variant.Overrides.Select(field => (field.Key, field.Value, $"{baseConfiguration.Place(key)}: '{variant.Name}'"));

    /// <summary>Fields that set a token budget.</summary>
    public IEnumerable<(string Key, string Value, string Place)> Budget(long tokens)
    {
        yield return ("training.steps", "null", baseConfiguration.Place("max_tokens"));
        yield return ("training.max_tokens", tokens.ToString(CultureInfo.InvariantCulture), baseConfiguration.Place("max_tokens"));
    }
}
