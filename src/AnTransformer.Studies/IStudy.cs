using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;

namespace AnTransformer.Studies;

/// <summary>A kind of study: what it runs, and what it makes of the results.</summary>
public interface IStudy
{
    /// <summary>Its title.</summary>
    string Title { get; }

    /// <summary>What it was told.</summary>
    StudyConfiguration Settings { get; }

    /// <summary>What it runs.</summary>
    IStudyPlan Plan { get; }

    /// <summary>What is odd about the plan, a sentence each, to be said before anything runs.</summary>
    IReadOnlyList<string> PlanWarnings => [];

    /// <summary>What came out so far; a study under way has findings, too.</summary>
    /// <param name="state">What is known.</param>
    StudyFindings Findings(StudyState state);
}
