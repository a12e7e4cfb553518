using System.CommandLine;
using AnTransformer.Inference;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// What runs a trained model in <c>generate</c> and <c>score</c>: own kernels, which start at once and decode at the
/// speed of memory, unless what is asked for is LibTorch's, a device other than the CPU or a compute dtype.
/// </summary>
internal sealed class InferenceChoice
{
    private static readonly string[] Names = ["f32", "bf16", "q8_0"];
    private readonly Option<string> _device = SharedOptions.Device();
    private readonly Option<string> _computeDtype = SharedOptions.ComputeDtype();
    private readonly Option<string> _dtype = new("--dtype")
    {
        Description = "f32, bf16 or q8_0: what weights are packed to on the CPU, where decoding costs reading them.",
        DefaultValueFactory = _ => "f32",
    };

    private readonly Option<int> _threads
        = SharedOptions.Int("--threads", 0, "CPU threads to compute with; 0 for all.").InRange(0, 1024);

    private readonly Option<bool> _noMmap = new("--no-mmap") { Description = NoMmapDescription };

    /// <summary>What <c>--no-mmap</c> is for, as in llama.cpp.</summary>
    public const string NoMmapDescription
        = "Copy the weights to large pages instead of reading the file's mapping: decodes faster, starts later.";

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_dtype);
        command.Options.Add(_threads);
        command.Options.Add(_noMmap);
        command.Options.Add(_device);
        command.Options.Add(_computeDtype);
    }

    /// <summary>Whether LibTorch is to run the model; nothing of it is loaded to find out.</summary>
    /// <exception cref="InvalidInputException">Options contradict each other.</exception>
    public bool NeedsLibTorch(ParseResult parsed)
    {
        var needs = parsed.GetRequiredValue(_device) != "cpu" || IsGiven(parsed, _computeDtype);
        if (needs && IsGiven(parsed, _dtype))
        {
            throw new InvalidInputException(
                "--dtype packs weights for the CPU, and --device and --compute-dtype choose LibTorch; leave one of "
                    + "them out.");
        }

        return needs;
    }

    /// <summary>What the engine is loaded with.</summary>
    /// <exception cref="InvalidInputException">The dtype is unknown.</exception>
    public InferenceOptions Options(ParseResult parsed)
        => new(ParseDtype(parsed.GetRequiredValue(_dtype)), parsed.GetValue(_threads), !parsed.GetValue(_noMmap));

    /// <summary>The device and dtype of LibTorch's context.</summary>
    public (string Device, string ComputeDtype) LibTorch(ParseResult parsed)
        => (parsed.GetRequiredValue(_device), parsed.GetRequiredValue(_computeDtype));

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

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}
