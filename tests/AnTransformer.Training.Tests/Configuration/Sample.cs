using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Training.Tests.Configuration;

/// <summary>A configuration with a field of every kind that the binder supports, also outside of sections and nested.</summary>
public sealed class Sample
{
    [Description("A name.")]
    public string Name { get; set; } = "default";

    [Description("Numbers of every kind.")]
    public NumberSection Numbers { get; set; } = new();

    public ChoiceSection Choices { get; set; } = new();

    public sealed class NumberSection
    {
        [Positive]
        public int WholeNumber { get; set; } = 1;

        public int? MaybeWhole { get; set; }

        public long Large { get; set; }

        [InRange(0, 1, ExcludesHighest = true)]
        [MayChangeOnResume]
        public double Fraction { get; set; } = 0.5;

        public double? MaybeReal { get; set; }

        [Description("Nested one deeper.")]
        public DeepSection Deep { get; set; } = new();
    }

    public sealed class DeepSection
    {
        public bool Flag { get; set; }
    }

    public sealed class ChoiceSection : IValidatable
    {
        public Color Color { get; set; }

        public Color? MaybeColor { get; set; }

        [OneOf("gpt", "gpt+")]
        public string Architecture { get; set; } = "gpt";

        public string? MaybeText { get; set; }

        public bool? MaybeFlag { get; set; }

        public List<string> Paths { get; set; } = [];

        public IEnumerable<ConfigurationProblem> Validate()
        {
            if (Color == Color.DeepBlue && Architecture == "gpt+")
            {
                yield return new ConfigurationProblem(
                    "gpt+ cannot be deep blue; choose another color", "color", "architecture");
            }
        }
    }
}

public enum Color
{
    Red,
    DeepBlue,
}
