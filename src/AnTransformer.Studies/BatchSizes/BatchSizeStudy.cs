using System.Globalization;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.BatchSizes;

/// <summary>
/// How large a batch may be: the loss at a fixed number of tokens against the batch size, each with a learning rate of
/// its own, and the largest batch whose loss is still near the best.
/// </summary>
public sealed class BatchSizeStudy : IStudy
{
    private readonly BatchSizeConfiguration _settings;
    private readonly TuningPlan _plan;
    private readonly List<string> _sides;

    /// <summary>Plans the study.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="baseConfiguration">What all runs have.</param>
    /// <param name="data">Prepares data and knows vocabularies.</param>
    /// <exception cref="InvalidInputException">The settings cannot be used.</exception>
    public BatchSizeStudy(BatchSizeConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        _settings = settings;
        var sides = Variant.ParseSides(settings.Sides, baseConfiguration.Place("sides"));
        _sides = sides.ConvertAll(side => side.Name);
        var factory = new CellFactory(settings, baseConfiguration, data);
        foreach (var key in new[] { "training.steps", "training.max_tokens" })
            factory.Own(key, "--max-tokens");
        foreach (var key in new[] { "training.batch_size", "training.gradient_accumulation" })
            factory.Own(key, "--batch-sizes");
        var rates = new RatesByName(
            settings.SideLearningRates, _sides, [], baseConfiguration.Place("side_learning_rates"));
        _plan = new TuningPlan(
        [
            .. from batch in settings.BatchSizes
               from side in sides
               select factory.Create(
                   [new("side", side.Name), new("batch", batch.ToString(CultureInfo.InvariantCulture))],
                   [.. factory.Fields(side, "sides"), .. factory.Budget(settings.MaxTokens), .. Batch(
                       batch, baseConfiguration.Place("batch_sizes"))],
                   Rates(rates.Of("", side.Name) ?? settings.LearningRates, batch)),
        ]);
    }

    /// <inheritdoc/>
    public string Title => $"Batch size of {string.Join(", ", _sides)}";

    /// <inheritdoc/>
    public StudyConfiguration Settings => _settings;

    /// <inheritdoc/>
    public IStudyPlan Plan => _plan;

    /// <inheritdoc/>
    public StudyFindings Findings(StudyState state)
        => BatchSizeFindings.Create(
            _sides.ConvertAll(side => SideByBatch.Create(
                side,
                _settings.BatchSizes,
                _plan.Cells.Where(cell => cell["side"] == side).Select(cell => CellOutcome.Of(cell, state.Results))
                    .ToList())),
            _settings);

    private IEnumerable<(string Key, string Value, string Place)> Batch(long batch, string place)
    {
        var micro = _settings.LargestMicroBatch > 0 ? Math.Min(batch, _settings.LargestMicroBatch) : batch;
        yield return ("training.batch_size", micro.ToString(CultureInfo.InvariantCulture), place);
        yield return ("training.gradient_accumulation", (batch / micro).ToString(CultureInfo.InvariantCulture), place);
    }

    /// <summary>Rates to begin with, on one grid for all batch sizes so that curves line up.</summary>
    private IReadOnlyList<double> Rates(IReadOnlyList<double> first, long batch)
    {
        if (!_settings.ScaleRates)
            return first;
        var factor = _settings.LearningRateFactor;
        var powers = Math.Round(Math.Log(Math.Sqrt((double)batch / _settings.BatchSizes[0])) / Math.Log(factor));
        return first.Select(
            rate => Math.Min(TunedConfiguration.HighestRate, LearningRateSearch.Round(rate * Math.Pow(factor, powers))))
                .Distinct().ToList();
    }
}
