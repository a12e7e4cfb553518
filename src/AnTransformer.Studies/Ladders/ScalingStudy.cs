using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Ladders;

/// <summary>
/// Trains a ladder of sizes and budgets, each cell at its own learning rate: the runs that scaling laws are fitted to.
/// </summary>
public sealed class ScalingStudy : IStudy
{
    private readonly ScalingConfiguration _settings;
    private readonly Ladder _ladder;

    /// <summary>Plans the study.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="baseConfiguration">What all runs have.</param>
    /// <param name="data">Prepares data and knows vocabularies.</param>
    /// <exception cref="InvalidInputException">The settings cannot be used.</exception>
    public ScalingStudy(ScalingConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        _settings = settings;
        _ladder = new Ladder(settings, baseConfiguration, data);
    }

    /// <inheritdoc/>
    public string Title => $"Ladder of {string.Join(", ", _ladder.Sides)}";

    /// <inheritdoc/>
    public StudyConfiguration Settings => _settings;

    /// <inheritdoc/>
    public IStudyPlan Plan => _ladder.Plan;

    /// <inheritdoc/>
    public StudyFindings Findings(StudyState state)
        => LadderFindings.Create(
            _ladder.Plan.Cells.Select(cell => CellOutcome.Of(cell, state.Results)).ToList(), _settings);
}
