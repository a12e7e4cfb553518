namespace AnTransformer.Optimization;

/// <summary>All update rules by name, with their default constants.</summary>
public static class UpdateRuleRegistry
{
    /// <summary>The rules, in the order in which lists show them.</summary>
    public static IReadOnlyList<UpdateRule> All { get; } =
    [
        new AdamWRule(),
        new MuonRule(),
        new LionRule(),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = All.Select(rule => rule.Name).ToList();

    /// <summary>Finds a rule that must exist.</summary>
    /// <param name="name">A name, in any case.</param>
    /// <param name="place">What the error names as the source of the name, for example a file and its key.</param>
    /// <exception cref="InvalidInputException">There is none of that name.</exception>
    public static UpdateRule Get(string name, string place = "optimizer")
    {
        if (All.FirstOrDefault(rule => string.Equals(rule.Name, name, StringComparison.OrdinalIgnoreCase)) is { } found)
            return found;
        var near = NearestName.Of(name, Names);
        throw new InvalidInputException(
            $"{place} '{Printable.Excerpt(name)}' is unknown{(near is null ? "" : $" (did you mean '{near}'?)")}; "
            + $"it must be one of {string.Join(", ", Names)}.");
    }
}
