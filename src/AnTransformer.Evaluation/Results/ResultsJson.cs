using System.Text.Json.Nodes;
using AnTransformer.Inference;

namespace AnTransformer.Evaluation.Results;

/// <summary>Results in the form that lm-evaluation-harness writes, for programs that read its files.</summary>
internal static class ResultsJson
{
    /// <summary>The whole.</summary>
    /// <param name="checkpoint">The model's path.</param>
    /// <param name="model">The model.</param>
    /// <param name="results">What was found.</param>
    /// <param name="limit">Questions asked of a task at most; 0 for all.</param>
    /// <param name="date">When it began.</param>
    /// <param name="seconds">How long it took.</param>
    public static JsonObject Of(
        string checkpoint, InferenceModel model, IReadOnlyList<TaskResult> results, int limit, DateTimeOffset date,
        double seconds)
    {
        var groups = results.Where(result => result.Parts.Count > 0).ToList();
        List<TaskResult> tasks = [.. results.SelectMany(result => (TaskResult[])[result, .. result.Parts])];
        List<TaskResult> asked = [.. tasks.Where(task => task.Parts.Count == 0)];
        return new JsonObject
        {
            ["results"] = Each(tasks, task => Figures(task)),
            ["groups"] = Each(groups, group => Figures(group)),
            ["group_subtasks"] = Each(
                groups, group => new JsonArray([.. group.Parts.Select(part => (JsonNode)part.Name)])),
            ["versions"] = Each(tasks, task => task.Version),
            ["n-shot"] = Each(asked, _ => 0),
            ["higher_is_better"] = Each(
                tasks,
                task => new JsonObject(task.Metrics.Select(
                    metric => KeyValuePair.Create<string, JsonNode?>(metric.Name, metric.HigherIsBetter)))),
            ["n-samples"] = Each(
                asked, task => new JsonObject { ["original"] = task.Available, ["effective"] = task.Questions }),
            ["config"] = new JsonObject
            {
                ["model"] = "angpt",
                ["model_args"] = $"pretrained={checkpoint}",
                ["model_dtype"] = model.Options.Dtype.ToString().ToLowerInvariant(),
                ["limit"] = limit > 0 ? limit : null,
            },
            ["max_length"] = model.Config.MaxPositionEmbeddings,
            ["truncated"] = Each(asked, task => task.Cut),
            ["date"] = date.ToUnixTimeMilliseconds() / 1000.0,
            ["total_evaluation_time_seconds"] = Math.Round(seconds, 3),
        };
    }

    private static JsonObject Each(IEnumerable<TaskResult> tasks, Func<TaskResult, JsonNode?> of)
        => new(tasks.Select(task => KeyValuePair.Create(task.Name, of(task))));

    private static JsonObject Figures(TaskResult task)
    {
        var figures = new JsonObject { ["alias"] = task.Name };
        foreach (var metric in task.Metrics)
        {
            figures[$"{metric.Name},none"] = Number(metric.Value);
            figures[$"{metric.Name}_stderr,none"] = metric.StandardError is { } error ? Number(error) : "N/A";
        }

        return figures;
    }

    // JSON has no infinity; a diverged model's perplexity is a result, too.
    private static JsonNode Number(double value) => double.IsFinite(value) ? value : value.ToString("R", null);
}
