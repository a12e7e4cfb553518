using System.Collections.Immutable;

namespace AnTransformer.Optimization;

/// <summary>All update rules by name, with their default constants.</summary>
public static class UpdateRuleRegistry
{
    private static ImmutableList<UpdateRule> s_all = [new AdamWRule(), new MuonRule(), new LionRule()];

    /// <summary>The rules, in the order in which lists show them.</summary>
    public static IReadOnlyList<UpdateRule> All => s_all;

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names => [.. s_all.Select(rule => rule.Name)];

    /// <summary>
    /// Adds a rule of a program's own (<see cref="DirectionRule"/>). Configurations know it by its name when this comes
    /// before the first of them is read.
    /// </summary>
    /// <param name="rule">The rule with its default constants.</param>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public static void Register(UpdateRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        ImmutableInterlocked.Update(ref s_all, all => Find(all, rule.Name) is null
            ? all.Add(rule)
            : throw new ArgumentException($"There is an update rule '{rule.Name}' already.", nameof(rule)));
    }

    /// <summary>Finds a rule that must exist.</summary>
    /// <param name="name">A name, in any case.</param>
    /// <param name="place">What the error names as the source of the name, for example a file and its key.</param>
    /// <exception cref="InvalidInputException">There is none of that name.</exception>
    public static UpdateRule Get(string name, string place = "optimizer")
    {
        if (Find(s_all, name) is { } found)
            return found;
        var near = NearestName.Of(name, Names);
        throw new InvalidInputException(
            $"{place} '{Printable.Excerpt(name)}' is unknown{(near is null ? "" : $" (did you mean '{near}'?)")}; "
            + $"it must be one of {string.Join(", ", Names)}.");
    }

    /// <summary>For tests: takes a rule out again.</summary>
    internal static void Remove(UpdateRule rule) => ImmutableInterlocked.Update(ref s_all, all => all.Remove(rule));

    private static UpdateRule? Find(ImmutableList<UpdateRule> all, string name)
        => all.Find(rule => string.Equals(rule.Name, name, StringComparison.OrdinalIgnoreCase));
}
