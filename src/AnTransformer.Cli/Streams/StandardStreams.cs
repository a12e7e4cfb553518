using System.Text;

namespace AnTransformer.Cli.Streams;

/// <summary>
/// Standard output and standard error, through which everything the tool says goes: <see cref="Console.Out"/> and
/// <see cref="Console.Error"/> write here, tables and live displays included.
/// </summary>
internal sealed class StandardStreams
{
    private static StandardStreams? _current;
    private readonly GuardedStream _output;

    private StandardStreams(GuardedStream output) => _output = output;

    /// <summary>
    /// Why a result could not be written to standard output; null when it was, or when nobody wanted the rest of it.
    /// </summary>
    public static string? OutputFailure => _current?._output.Failure;

    /// <summary>
    /// Whether whatever read standard output has gone, so that the rest of a result may be left undone.
    /// </summary>
    public static bool IsOutputUnread => _current?._output.IsUnread == true;

    /// <summary>Puts the guards in place; before anything is written, and before any file is opened.</summary>
    public static void Install()
    {
        var output = new GuardedStream(Open(Descriptor.Output, Console.OpenStandardOutput), goesOn: false);
        var error = new GuardedStream(Open(Descriptor.Error, Console.OpenStandardError), goesOn: true);
        if (Descriptor.IsSupported)
            Descriptor.FillGaps();
        _current = new StandardStreams(output);
        Console.SetOut(Writer(output));
        Console.SetError(Writer(error));
    }

    private static Stream? Open(int descriptor, Func<Stream> open)
        => !Descriptor.IsSupported ? open()
            : Descriptor.IsInherited(descriptor) ? new DescriptorStream(descriptor)
            : null;

    private static StreamWriter Writer(Stream stream) => new(stream, Encoding(), bufferSize: 1024) { AutoFlush = true };

    private static Encoding Encoding()
    {
        // The preamble of UTF-8 is no part of the text.
        var encoding = Console.OutputEncoding;
        return encoding.CodePage == System.Text.Encoding.UTF8.CodePage
            ? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)
            : encoding;
    }
}
