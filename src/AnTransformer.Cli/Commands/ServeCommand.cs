using System.CommandLine;
using System.Net;
using AnTransformer.Server;
using AnTransformer.Server.Hosting;
using AnTransformer.Server.Requests;
using AnTransformer.Server.Security;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt serve</c>: OpenAI's completions, a page and runs' curves over HTTP.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var checkpoints = new Argument<string[]>("checkpoints")
        {
            Description = "Checkpoint or run directories; NAME=DIR to be asked for by that name rather than the "
                + "directory's.",
            Arity = ArgumentArity.OneOrMore,
        };
        var host = new Option<string>("--host")
        {
            Description = "Address to listen at. Other addresses than the loopback can be reached from other machines; "
                + "give a key then, and the host names in --allowed-hosts.",
            DefaultValueFactory = _ => "127.0.0.1",
        }.NotEmpty("give an IP address.");
        var port = SharedOptions.Int("--port", 8080, "Port to listen at; 0 for any that is free.").InRange(0, 65535);
        var allowed = new Option<string[]>("--allowed-hosts")
        {
            Description = "Host names that requests may be sent to besides localhost, separated by commas; * for any.",
            DefaultValueFactory = _ => [],
        }.NotEmpty("give a host name.");
        var keyFile = new Option<string?>("--api-key-file")
        {
            Description = "File whose first line requests must bring as their key; the variable "
                + $"{KeySource.Variable} does the same.",
        }.NotEmpty("give a file.");
        var slots = SharedOptions.Int(
            "--slots", 8, "Sequences that each model continues at once; a pass over the weights serves all of them.")
            .InRange(1, 256);
        var queue = SharedOptions.Int(
            "--queue", 256, "Sequences of each model that may wait for a slot; more are refused with status 429.")
            .InRange(0, 100_000);
        var body = SharedOptions.Int("--max-body", RequestLimits.BodyBytes, "Bytes that a request may have.")
            .InRange(1024, 1 << 30);
        var drain = SharedOptions.Int(
            "--drain-seconds", 60, "How long running requests may take after the server was asked to stop.")
            .InRange(0, 86_400);
        var runs = new Option<string?>("--runs")
        {
            Description = "Folder whose runs and studies the page /runs shows, live.",
        }.NotEmpty("give a folder.");
        var choice = new LoadingOptions();
        var command = new Command(
            "serve",
            "Answer OpenAI's completion requests with trained models, and show a page to try them at /.")
        {
            checkpoints, host, port, allowed, keyFile, slots, queue, body, drain, runs,
        };
        choice.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new StopSignal(StopWords.Serve);
            var options = new ServerOptions
            {
                Models = [.. parsed.GetRequiredValue(checkpoints).Select(ParseModel)],
                Inference = choice.Options(parsed),
                Address = ParseAddress(parsed.GetRequiredValue(host)),
                Port = parsed.GetValue(port),
                AllowedHosts = [
                    .. parsed.GetRequiredValue(allowed).SelectMany(names => names.Split(
                        ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
                ],
                ApiKey = KeySource.Read(parsed.GetValue(keyFile)),
                Slots = parsed.GetValue(slots),
                MostQueued = parsed.GetValue(queue),
                BodyBytes = parsed.GetValue(body),
                DrainTime = TimeSpan.FromSeconds(parsed.GetValue(drain)),
                Runs = ExistingFolder(parsed.GetValue(runs)),
            };
            if (!IPAddress.IsLoopback(options.Address) && options.ApiKey is null)
                ErrorLines.Warn(
                    $"whoever reaches {options.Address} can use the models; set {KeySource.Variable} or --api-key-file "
                        + "to ask for a key.");
            await ServeAsync(options, stop.Token);
            return ExitCodes.Success;
        });
        return command;
    }

    private static async Task ServeAsync(ServerOptions options, CancellationToken stop)
    {
        await using var server = await CompletionServer.StartAsync(options, stop);
        var names = string.Join(", ", options.Models.Select(model => Printable.Excerpt(model.Name)));
        Console.WriteLine($"{names} at {server.Address}");
        Console.WriteLine("  page /, completions /v1/completions, models /v1/models, metrics /metrics; Ctrl-C ends it");
        var stopped = new TaskCompletionSource();
        await using (stop.Register(stopped.SetResult))
            await stopped.Task;
        await server.StopAsync();
    }

    private static (string Name, string Checkpoint) ParseModel(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || Path.Exists(text))
            return (Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(text))), Resolve(text));
        return equals == text.Length - 1
            ? throw new InvalidInputException($"'{Printable.Excerpt(text)}' names no directory; give NAME=DIR.")
            : (text[..equals], Resolve(text[(equals + 1)..]));
    }

    private static string Resolve(string path)
    {
        var checkpoint = CheckpointPath.Resolve(path);
        CheckpointPath.RequireCausal(checkpoint);
        return checkpoint;
    }

    private static IPAddress ParseAddress(string host)
        => host == "localhost"
            ? IPAddress.Loopback
            : IPAddress.TryParse(host, out var address)
                ? address
                : throw new InvalidInputException(
                    $"--host '{Printable.Excerpt(host)}' is no IP address; give one of this machine's, for example "
                        + "127.0.0.1, or 0.0.0.0 for all.");

    private static string? ExistingFolder(string? folder)
        => folder is null || Directory.Exists(folder)
            ? folder
            : throw new InvalidInputException($"--runs {folder}: no such directory; give one with runs or studies.");
}
