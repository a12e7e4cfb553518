using System.CommandLine;
using AnTransformer.Export;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt export</c>: a trained model in the format of another program.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var checkpoint = SharedOptions.Checkpoint();
        var format = new Option<string>("--format")
        {
            Description = string.Join(
                "; ", ExporterRegistry.All.Select(exporter => $"{exporter.Format}: {exporter.Summary}")) + ".",
            HelpName = string.Join('|', ExporterRegistry.Names),
            Required = true,
        }.NotEmpty("name a format");
        var dtype = new Option<string?>("--dtype")
        {
            Description = "The matrices' type; by default f32.",
            HelpName = string.Join('|', Enum.GetValues<ExportDtype>().Select(value => value.Name())),
        }.NotEmpty("name a type");
        var fold = new Option<bool>("--fold")
        {
            Description = "With --format safetensors: fold anGPT's factors and interpolations into the matrices, "
                + "so that every block is a plain sum.",
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The directory to make; nothing that exists is replaced.",
            HelpName = "directory",
            Required = true,
        }.NotEmpty("name a directory");
        var shard = new Option<string?>("--max-shard-size")
        {
            Description = "With --format hf: weights in one file at most, for example 200MB; 5GB by default.",
            HelpName = "size",
        }.NotEmpty("give a size like 5GB");
        var json = SharedOptions.Json();
        var command = new Command("export", "Write a trained model in the format of another program.")
        {
            checkpoint, format, dtype, fold, shard, output, json,
        };
        command.SetAction(parsed =>
        {
            var exporter = ExporterRegistry.Get(parsed.GetRequiredValue(format));
            var type = parsed.GetValue(dtype) is { } name ? ReadDtype(name) : (ExportDtype?)null;
            var source = CheckpointPath.Resolve(parsed.GetRequiredValue(checkpoint));
            var target = parsed.GetRequiredValue(output);
            using var stop = new StopSignal(StopWords.Export);
            var mostBytes = parsed.GetValue(shard) is { } size ? ByteCount.Parse(shard.Name, size) : (long?)null;
            var report = ModelExport.Write(
                source, target, exporter, type, parsed.GetValue(fold), mostBytes, stop.Token);
            Print(source, target, exporter, report, parsed.GetValue(json));
            return ExitCodes.Success;
        });
        return command;
    }

    private static ExportDtype ReadDtype(string name)
    {
        foreach (var dtype in Enum.GetValues<ExportDtype>())
        {
            if (string.Equals(dtype.Name(), name, StringComparison.OrdinalIgnoreCase))
                return dtype;
        }

        throw new InvalidInputException(
            $"--dtype must be one of {string.Join(", ", Enum.GetValues<ExportDtype>().Select(value => value.Name()))}, "
            + $"not '{Printable.Excerpt(name)}'.");
    }

    private static void Print(string source, string target, IExporter exporter, ExportReport report, bool json)
    {
        var files = new DirectoryInfo(target).EnumerateFiles("*", SearchOption.AllDirectories)
            .OrderBy(file => file.FullName, StringComparer.Ordinal).ToList();
        if (json)
        {
            JsonOutput.Print(new
            {
                Checkpoint = source,
                Output = target,
                exporter.Format,
                report.Target,
                Files = files.ToDictionary(file => Path.GetRelativePath(target, file.FullName), file => file.Length),
                report.Notes,
            });
            return;
        }

        Console.WriteLine(Printable.Line($"{source} as {report.Target} in {target}"));
        foreach (var file in files)
            Console.WriteLine(Printable.Line($"{file.Length,14}  {Path.GetRelativePath(target, file.FullName)}"));
        foreach (var note in report.Notes)
            Console.WriteLine(Printable.Line(note));
    }
}
