using System.CommandLine;
using System.CommandLine.Parsing;

namespace AnTransformer.Cli.Commands;

/// <summary>Options that several commands have, so that they read the same everywhere.</summary>
internal static class SharedOptions
{
    public static Argument<string> Checkpoint() => new("checkpoint")
    {
        Description = "A checkpoint directory (config.json and model.safetensors), or a run directory, whose best checkpoint is used.",
    };

    public static Option<bool> Json() => new("--json") { Description = "Print the result as one JSON object on standard output." };

    public static Option<string> Device() => new("--device")
    {
        Description = "cpu, cuda or cuda:N.",
        DefaultValueFactory = _ => "cpu",
    };

    public static Option<string> ComputeDtype() => new("--compute-dtype")
    {
        Description = "fp32 or bf16: the precision of matrix products and attention.",
        DefaultValueFactory = _ => "fp32",
    };

    public static Option<int> Int(string name, int byDefault, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => byDefault,
    };

    public static Option<double> Number(string name, double byDefault, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => byDefault,
    };

    /// <summary>Rejects values outside a range with one sentence.</summary>
    public static Option<T> InRange<T>(this Option<T> option, T lowest, T highest)
        where T : IComparable<T>
    {
        option.Validators.Add(result =>
        {
            // A value that is not even a number has an error of its own already.
            if (result.Errors.Any() || !TryGet(result, out T? value))
                return;
            if (value!.CompareTo(lowest) < 0 || value.CompareTo(highest) > 0)
                result.AddError($"{option.Name} must lie between {lowest} and {highest}, not {value}");
        });
        return option;
    }

    private static bool TryGet<T>(OptionResult result, out T? value)
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
