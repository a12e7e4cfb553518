using System.Diagnostics;
using System.Text.Json;

namespace AnTransformer.Cli.Tests;

/// <summary>Runs the tool as a user does, in a process of its own, in a temporary working directory.</summary>
public sealed class Angpt : IDisposable
{
    // A model and a corpus so small that a run takes seconds.
    private static readonly string[] Tiny =
    [
        "--model.hidden_size", "32", "--model.num_attention_heads", "2", "--model.num_hidden_layers", "2", "--model.max_position_embeddings", "32",
        "--training.batch_size", "4", "--tokenizer.vocab_size", "300", "--training.steps", "6", "--logging.interval", "1",
        "--evaluation.interval", "3", "--evaluation.batches", "2", "--evaluation.sample_tokens", "8", "--data.text", "corpus.txt",
        "--data.path", "data", "--training.output", "run", "--data.section_bytes", "512", "--data.validation_fraction", "0.2",
    ];

    public Angpt()
    {
        Folder = Directory.CreateTempSubdirectory("angpt-test-").FullName;
        File.WriteAllText(In("corpus.txt"), Corpus());
    }

    public string Folder { get; }

    private static string Tool => Path.Combine(AppContext.BaseDirectory, "angpt.dll");

    /// <summary>Variables set for the processes started from here.</summary>
    public Dictionary<string, string> Variables { get; } = new()
    {
        // Tests share the cores: threads that wait must not spin.
        ["OMP_WAIT_POLICY"] = "passive",
    };

    public string In(params string[] parts) => Path.Combine([Folder, .. parts]);

    public Result Run(params string[] arguments) => Wait(Start(arguments));

    /// <summary>Trains the tiny model; options given come last and so win.</summary>
    public Result Train(params string[] arguments) => Run(TrainArguments(arguments));

    public static string[] TrainArguments(params string[] arguments) => ["train", .. Tiny.Chunk(2).Where(pair => !arguments.Contains(pair[0])).SelectMany(pair => pair), .. arguments];

    public Process Start(params string[] arguments)
    {
        var start = StartInfo("dotnet");
        start.ArgumentList.Add(Tool);
        return Start(start, arguments);
    }

    /// <summary>Runs a line of bash in which <c>$angpt</c> is the tool, for redirections and limits.</summary>
    public Result Shell(string line) => Wait(StartShell(line));

    /// <summary>Starts a line of bash in which <c>$angpt</c> is the tool; with <c>exec</c> before it the process is the tool itself.</summary>
    public Process StartShell(string line)
    {
        var start = StartInfo("bash");
        start.Environment["angpt"] = $"dotnet {Tool}";
        return Start(start, ["-c", line]);
    }

    public static Result Wait(Process process)
    {
        using (process)
        {
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return new Result(process.ExitCode, output, error.GetAwaiter().GetResult());
        }
    }

    /// <summary>Training losses by step, as the metrics file has them.</summary>
    public Dictionary<long, double> Losses(string run = "run")
        => File.ReadLines(In(run, "metrics.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(record => record.TryGetProperty("loss", out _))
            .ToDictionary(record => record.GetProperty("step").GetInt64(), record => record.GetProperty("loss").GetDouble());

    /// <summary>Asserts that two runs have logged the same steps with the same losses, to 1e-5 relative.</summary>
    public void AssertSameLosses(string expectedRun, string foundRun)
    {
        var (expected, found) = (Losses(expectedRun), Losses(foundRun));
        Assert.Equal(expected.Keys, found.Keys);
        Assert.All(expected, pair => Assert.Equal(pair.Value, found[pair.Key], 1e-5 * pair.Value));
    }

    /// <summary>Processes of the tool in this folder whose arguments are meant.</summary>
    public List<Process> ProcessesHere(Predicate<string[]> areMeant)
        => [.. Process.GetProcessesByName("dotnet").Where(process =>
        {
            try
            {
                return areMeant(File.ReadAllText($"/proc/{process.Id}/cmdline").Split('\0'))
                    && new FileInfo($"/proc/{process.Id}/cwd").LinkTarget == Folder;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        })];

    /// <summary>Whether a line of bash ends well; for what a test needs of the machine.</summary>
    public static bool Succeeds(string line)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", $"{{ {line}; }} >/dev/null 2>&1"]))!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private ProcessStartInfo StartInfo(string program) => new(program)
    {
        WorkingDirectory = Folder,
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        RedirectStandardInput = true,
    };

    private Process Start(ProcessStartInfo start, string[] arguments)
    {
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static string Corpus()
    {
        // Pseudorandom sentences of a small grammar: there is something to learn, and the same on every machine.
        string[] subjects = ["the cat", "a dog", "my sister", "the old man", "every child"];
        string[] verbs = ["sees", "likes", "finds", "remembers", "follows"];
        string[] objects = ["a red ball", "the house", "an apple", "two birds", "the river"];
        var random = new Random(1);
        var paragraphs = Enumerable.Range(0, 120).Select(_ => string.Join(' ', Enumerable.Range(0, 8).Select(_ =>
            $"{subjects[random.Next(5)]} {verbs[random.Next(5)]} {objects[random.Next(5)]}.")));
        return string.Join("\n\n", paragraphs);
    }

    public sealed record Result(int ExitCode, string Output, string Error)
    {
        public JsonElement Json => JsonDocument.Parse(Output).RootElement;

        /// <summary>Asserts the contract of bad input: exit code 2, one sentence on standard error, no stack trace.</summary>
        public void AssertRejected(params string[] fragments)
        {
            Assert.True(ExitCode == 2, $"exit code {ExitCode}: {Error}");
            Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
            var message = Error.TrimEnd().Split('\n')[^1];
            Assert.StartsWith("angpt: ", message, StringComparison.Ordinal);
            foreach (var fragment in fragments)
                Assert.Contains(fragment, message, StringComparison.OrdinalIgnoreCase);
        }

        public Result AssertSucceeded()
        {
            Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}{Output}");
            return this;
        }
    }
}
