using System.CommandLine;
using AnTransformer.Inference;

namespace AnTransformer.Cli.Commands;

/// <summary>How own kernels load a model.</summary>
internal sealed class LoadingOptions
{
    /// <summary>What <c>--no-mmap</c> is for, as in llama.cpp.</summary>
    public const string NoMmapDescription
        = "Copy the weights to large pages instead of reading the file's mapping: decodes faster, starts later.";

    private static readonly string[] Names = ["f32", "bf16", "q8_0"];
    private readonly Option<string> _dtype = new("--dtype")
    {
        Description = "f32, bf16 or q8_0: what weights are packed to on the CPU, where decoding costs reading them.",
        DefaultValueFactory = _ => "f32",
    };

    private readonly Option<int> _threads
        = SharedOptions.Int("--threads", 0, "CPU threads to compute with; 0 for all.").InRange(0, 1024);

    private readonly Option<bool> _noMmap = new("--no-mmap") { Description = NoMmapDescription };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_dtype);
        command.Options.Add(_threads);
        command.Options.Add(_noMmap);
    }

    /// <summary>Whether the type of the weights is the user's choice.</summary>
    public bool HasDtype(ParseResult parsed) => parsed.GetResult(_dtype) is { Implicit: false };

    /// <summary>What the engine is loaded with.</summary>
    /// <exception cref="InvalidInputException">The dtype is unknown.</exception>
    public InferenceOptions Options(ParseResult parsed)
        => new(ParseDtype(parsed.GetRequiredValue(_dtype)), parsed.GetValue(_threads), !parsed.GetValue(_noMmap));

    /// <summary>A dtype by its name.</summary>
    /// <exception cref="InvalidInputException">It is unknown.</exception>
    public static WeightDtype ParseDtype(string name)
    {
        var index = Array.FindIndex(Names, candidate => candidate.Equals(name, StringComparison.OrdinalIgnoreCase));
        return index >= 0
            ? (WeightDtype)index
            : throw new InvalidInputException(
                $"--dtype '{Printable.Excerpt(name)}' is unknown; it must be {string.Join(", ", Names[..^1])} or "
                    + $"{Names[^1]}.");
    }

    /// <summary>The name of a dtype.</summary>
    public static string NameOf(WeightDtype dtype) => Names[(int)dtype];
}
