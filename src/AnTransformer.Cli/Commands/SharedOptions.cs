using System.CommandLine;

namespace AnTransformer.Cli.Commands;

/// <summary>Options that several commands have, so that they read the same everywhere.</summary>
internal static class SharedOptions
{
    public static Argument<string> Checkpoint() => new("checkpoint")
    {
        Description = "A checkpoint directory (config.json and model.safetensors), or a run directory, whose best "
            + "checkpoint is used.",
    };

    public static Option<bool> Json()
        => new("--json") { Description = "Print the result as one JSON object on standard output." };

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

    public static RangedOption<int> Int(string name, int byDefault, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => byDefault,
    };

    public static RangedOption<double> Number(string name, double byDefault, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => byDefault,
    };

    /// <summary>Rejects an empty value, which a variable that is not set leaves on a command line.</summary>
    /// <param name="option">The option.</param>
    /// <param name="remedy">What to give, an imperative.</param>
    public static Option<T> NotEmpty<T>(this Option<T> option, string remedy)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
                result.AddError($"{option.Name} is empty; {remedy}");
        });
        return option;
    }
}
