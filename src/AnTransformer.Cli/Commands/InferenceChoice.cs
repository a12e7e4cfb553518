using System.CommandLine;
using AnTransformer.Inference;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// What runs a trained model in <c>generate</c> and <c>score</c>: own kernels, which start at once and decode at the
/// speed of memory, unless what is asked for is LibTorch's, a device other than the CPU or a compute dtype.
/// </summary>
internal sealed class InferenceChoice
{
    private readonly Option<string> _device = SharedOptions.Device();
    private readonly Option<string> _computeDtype = SharedOptions.ComputeDtype();
    private readonly LoadingOptions _loading = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        _loading.AddTo(command);
        command.Options.Add(_device);
        command.Options.Add(_computeDtype);
    }

    /// <summary>Whether LibTorch is to run the model; nothing of it is loaded to find out.</summary>
    /// <exception cref="InvalidInputException">Options contradict each other.</exception>
    public bool NeedsLibTorch(ParseResult parsed)
    {
        var needs = parsed.GetRequiredValue(_device) != "cpu" || parsed.GetResult(_computeDtype) is { Implicit: false };
        if (needs && _loading.HasDtype(parsed))
        {
            throw new InvalidInputException(
                "--dtype packs weights for the CPU, and --device and --compute-dtype choose LibTorch; leave one of "
                    + "them out.");
        }

        return needs;
    }

    /// <inheritdoc cref="LoadingOptions.Options"/>
    public InferenceOptions Options(ParseResult parsed) => _loading.Options(parsed);

    /// <summary>The device and dtype of LibTorch's context.</summary>
    public (string Device, string ComputeDtype) LibTorch(ParseResult parsed)
        => (parsed.GetRequiredValue(_device), parsed.GetRequiredValue(_computeDtype));
}
