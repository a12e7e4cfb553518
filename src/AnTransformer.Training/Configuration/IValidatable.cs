namespace AnTransformer.Training.Configuration;

/// <summary>A configuration or section that checks how its fields fit together, once each is legal by itself.</summary>
public interface IValidatable
{
    /// <summary>What does not fit; nothing when all is well.</summary>
    IEnumerable<ConfigurationProblem> Validate();
}

/// <summary>Fields that do not fit together.</summary>
/// <param name="Message">
/// What is wrong and what to do about it, as the part of a sentence that follows the place.
/// </param>
/// <param name="Keys">
/// The fields concerned, relative to the object that found the problem: <c>hidden_size</c> in a section.
/// </param>
public sealed record ConfigurationProblem(string Message, params IReadOnlyList<string> Keys);
