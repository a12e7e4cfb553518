using AnTransformer.Configuration;

namespace AnTransformer.Architectures;

/// <summary>All architectures by name.</summary>
public static class ArchitectureRegistry
{
    /// <summary>The definitions of what is trained, in the order in which lists show them.</summary>
    public static IReadOnlyList<ArchitectureDefinition> All { get; } =
    [
        new GptDefinition(),
        new GptPlusDefinition(),
        new NGptDefinition(),
        new AnGptDefinition(),
        new SandwichDefinition(),
        new DytDefinition(),
        new DerfDefinition(),
    ];

    /// <summary>
    /// What checkpoints can hold besides: models that were made of trained ones, and are not trained.
    /// </summary>
    public static IReadOnlyList<ArchitectureDefinition> Derived { get; } = [new FoldedAnGptDefinition()];

    /// <summary>The names of what is trained.</summary>
    public static IReadOnlyList<string> Names { get; } = All.Select(definition => definition.Name).ToList();

    /// <summary>Finds a definition, derived ones included.</summary>
    /// <param name="name">A name, in any case.</param>
    /// <returns>The definition, or null when there is none of that name.</returns>
    public static ArchitectureDefinition? Find(string name)
        => All.Concat(Derived)
            .FirstOrDefault(definition => string.Equals(definition.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Finds a definition that must exist.</summary>
    /// <param name="name">A name, in any case.</param>
    /// <param name="place">What the error names as the source of the name, for example a file and its key.</param>
    /// <exception cref="InvalidInputException">There is none of that name.</exception>
    public static ArchitectureDefinition Get(string name, string place = "architecture")
    {
        if (Find(name) is { } definition)
            return definition;
        var near = NearestName.Of(name, Names);
        throw new InvalidInputException(
            $"{place} '{Printable.Excerpt(name)}' is unknown{(near is null ? "" : $" (did you mean '{near}'?)")}; it "
                + $"must be one of {string.Join(", ", Names)}.");
    }

    /// <summary>Finds the definition of an architecture that can be trained.</summary>
    /// <param name="name">A name, in any case.</param>
    /// <param name="place">What the error names as the source of the name, for example a file and its key.</param>
    /// <exception cref="InvalidInputException">There is none of that name, or it is not trained.</exception>
    public static ArchitectureDefinition GetTrained(string name, string place)
    {
        var definition = Get(name, place);
        return All.Contains(definition)
            ? definition
            : throw new InvalidInputException(
                $"{place} '{definition.Name}' is made of a trained model and not trained itself; it must be one of "
                    + $"{string.Join(", ", Names)}.");
    }

    /// <summary>An architecture's own settings at a given size.</summary>
    /// <param name="name">Name of the architecture, for example <see cref="AnGptDefinition.ArchitectureName"/>.</param>
    /// <param name="vocabSize">V.</param>
    /// <param name="hiddenSize">d.</param>
    /// <param name="numAttentionHeads">H.</param>
    /// <param name="numHiddenLayers">L.</param>
    /// <param name="maxPositionEmbeddings">T.</param>
    /// <param name="intermediateSize">f; 4d when null.</param>
    /// <exception cref="InvalidInputException">There is no architecture of that name.</exception>
    public static ModelConfig CreateConfig(
        string name,
        int vocabSize,
        int hiddenSize,
        int numAttentionHeads,
        int numHiddenLayers,
        int maxPositionEmbeddings,
        int? intermediateSize = null)
        => Get(name)
            .CreateConfig(
                vocabSize, hiddenSize, numAttentionHeads, numHiddenLayers, maxPositionEmbeddings, intermediateSize);
}
