using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Comparison;

/// <summary>
/// Compares architectures or variants, each at its own tuned learning rate: how many tokens, operations and seconds
/// each needs to reach the loss that the reference ends with.
/// </summary>
public sealed class CompareStudy : IStudy
{
    private readonly CompareConfiguration _settings;
    private readonly Ladder _ladder;

    /// <summary>Plans the study.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="baseConfiguration">What all runs have.</param>
    /// <param name="data">Prepares data and knows vocabularies.</param>
    /// <exception cref="InvalidInputException">The settings cannot be used.</exception>
    public CompareStudy(CompareConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        _settings = settings;
        var sides = Variant.ParseSides(settings.Sides, baseConfiguration.Place("sides")).ConvertAll(side => side.Name);
        if (!sides.Contains(settings.Reference))
        {
            throw new InvalidInputException(
                $"{baseConfiguration.Place("reference")}: reference '{Printable.Excerpt(settings.Reference)}' is none "
                    + $"of the sides {string.Join(", ", sides)}.");
        }

        _ladder = new Ladder(settings, baseConfiguration, data);
    }

    /// <inheritdoc/>
    public string Title => $"Comparison of {string.Join(", ", _ladder.Sides)}";

    /// <inheritdoc/>
    public StudyConfiguration Settings => _settings;

    /// <inheritdoc/>
    public IStudyPlan Plan => _ladder.Plan;

    /// <inheritdoc/>
    public StudyFindings Findings(StudyState state) => ComparisonFindings.Create(Compare(state), _settings);

    /// <summary>The comparison at every size, as far as results are known.</summary>
    /// <param name="state">What is known.</param>
    public IReadOnlyList<SizeComparison> Compare(StudyState state)
        => _ladder.Sizes.Select(size => SizeComparison.Create(
            size,
            _ladder.Sides.Select(side => new SideAtSize(
                side, _ladder.Cells(side, size).Select(cell => CellOutcome.Of(cell, state.Results)).ToList())).ToList(),
            _settings.Reference)).ToList();
}
