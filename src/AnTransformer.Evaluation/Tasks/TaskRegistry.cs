namespace AnTransformer.Evaluation.Tasks;

/// <summary>The tasks by their names. A task of its own is a class and a line here, or a YAML description.</summary>
internal static class TaskRegistry
{
    private static readonly LanguageTask[] All =
    [
        new Blimp(), new HellaSwag(), new Arc("arc_easy", "arc easy"), new Arc("arc_challenge", "arc challenge"),
        new Piqa(), new WinoGrande(), new Lambada(),
    ];

    /// <summary>Names of the published tasks.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(task => task.Name)];

    /// <summary>Tasks by name, or by the path of a description (.yaml, .yml).</summary>
    /// <param name="names">The names; each counts once.</param>
    /// <exception cref="InvalidInputException">
    /// There are none, one is unknown, or a description cannot be used.
    /// </exception>
    public static IReadOnlyList<LanguageTask> Find(IEnumerable<string> names)
    {
        var tasks = names.Select(name => name.Trim()).Where(name => name.Length > 0).Distinct().Select(Find).ToList();
        if (tasks.Count == 0)
            throw new InvalidInputException($"no task is named; choose of {string.Join(", ", Names)}.");
        var twice = tasks.GroupBy(task => task.Name).FirstOrDefault(group => group.Count() > 1);
        return twice is null
            ? tasks
            : throw new InvalidInputException($"two tasks are called {twice.Key}; give one another name (task).");
    }

    private static LanguageTask Find(string name)
    {
        if (Array.Find(All, task => task.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } known)
            return known;
        if (name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase))
            return DescribedTask.Load(name);
        throw new InvalidInputException(
            $"the task '{Printable.Excerpt(name)}' is unknown; it must be {string.Join(", ", Names)}, or the path of a "
                + "description (.yaml).");
    }
}
