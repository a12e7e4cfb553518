using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary>Something whose values lie in a range that help tells.</summary>
internal interface IRanged
{
    /// <summary>The range in words; null when any value is allowed.</summary>
    string? Range { get; }
}

/// <summary>An option with a number, which may be bounded.</summary>
/// <typeparam name="T">The number's type.</typeparam>
internal sealed class RangedOption<T> : Option<T>, IRanged
    where T : IComparable<T>, IParsable<T>
{
    public RangedOption(string name)
        : base(name)
        => CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (T.TryParse(text, CultureInfo.InvariantCulture, out var value))
                return value;
            var kind = typeof(T) == typeof(int) ? $"whole number up to {int.MaxValue}" : "number";
            result.AddError($"{name} must be a {kind}, not '{Printable.Excerpt(text)}'");
            return default;
        };

    /// <inheritdoc/>
    public string? Range { get; private set; }

    /// <summary>Rejects values outside a range with one sentence.</summary>
    /// <param name="lowest">The smallest allowed.</param>
    /// <param name="highest">The largest allowed; the type's own largest for no bound.</param>
    public RangedOption<T> InRange(T lowest, T highest)
    {
        var isOpen = highest is int.MaxValue;
        Range = isOpen
            ? $"at least {lowest}"
            : $"{ConfigurationBinder.Text(lowest)} to {ConfigurationBinder.Text(highest)}";
        Validators.Add(result =>
        {
            // A value that is not even a number has an error of its own already.
            if (result.Errors.Any() || !TryGet(result, out var value))
                return;
            if (value!.CompareTo(lowest) < 0 || value.CompareTo(highest) > 0)
                result.AddError(
                    $"{Name} must {(isOpen ? "be " + Range : $"lie between {lowest} and {highest}")}, not {value}");
        });
        return this;
    }

    private static bool TryGet(OptionResult result, out T? value)
    {
        try
        {
            value = result.GetValueOrDefault<T>();
            return value is not null;
        }
        catch (InvalidOperationException)
        {
            value = default;
            return false;
        }
    }
}
