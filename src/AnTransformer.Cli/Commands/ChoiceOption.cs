using System.CommandLine;

namespace AnTransformer.Cli.Commands;

/// <summary>An option whose value is one of a few names; in any case, and never a number.</summary>
/// <typeparam name="T">The names' enum.</typeparam>
internal sealed class ChoiceOption<T> : Option<T>
    where T : struct, Enum
{
    public ChoiceOption(string name, T byDefault)
        : base(name)
    {
        DefaultValueFactory = _ => byDefault;
        HelpName = string.Join('|', Names);
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            var index = Array.FindIndex(Names, candidate => candidate.Equals(text, StringComparison.OrdinalIgnoreCase));
            if (index >= 0)
                return Enum.GetValues<T>()[index];
            result.AddError($"{name} must be one of {string.Join(", ", Names)}, not '{Printable.Excerpt(text)}'");
            return default;
        };
    }

    private static string[] Names { get; } = [.. Enum.GetValues<T>().Select(
        value => value.ToString().ToLowerInvariant())];
}
