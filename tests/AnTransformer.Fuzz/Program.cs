using System.CommandLine;
using System.Globalization;
using AnTransformer.Fuzz;

var format = new Option<string[]>("--format") { Description = $"Formats: {string.Join(", ", AllFormats.Names)}; all if left out.", AllowMultipleArgumentsPerToken = true };
format.AcceptOnlyFromAmong([.. AllFormats.Names]);
var inputs = new Option<int>("--inputs") { Description = "Inputs of each format.", DefaultValueFactory = _ => 10_000 };
var first = new Option<int>("--first") { Description = "First input; with --inputs 1 it alone is read again." };
var seed = new Option<int>("--seed") { Description = "Another seed makes other inputs.", DefaultValueFactory = _ => 1 };
var seconds = new Option<double>("--hang-after") { Description = "Seconds after which a read counts as a hang.", DefaultValueFactory = _ => 5 };
var findings = new Option<string>("--findings") { Description = "Directory for inputs with findings.", DefaultValueFactory = _ => "fuzz-findings" };
var command = new RootCommand("Reads damaged files: each must be accepted, or refused in one sentence. Exit code 1 says that there are findings.")
{
    format, inputs, first, seed, seconds, findings,
};
command.SetAction(parsed =>
{
    var chosen = parsed.GetValue(format) is { Length: > 0 } names ? names : [.. AllFormats.Names];
    var found = 0;
    foreach (var name in chosen)
    {
        var run = new FuzzRun(AllFormats.Create(name), parsed.GetValue(seed), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
        var target = Path.Combine(parsed.GetValue(findings)!, name);
        var work = Directory.CreateDirectory(Path.Combine(target, "current")).FullName;
        run.Run(parsed.GetValue(first), parsed.GetValue(inputs), work);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {run.Counts[Outcome.Accepted]} accepted, {run.Counts[Outcome.Refused]} refused, {run.Counts[Outcome.Finding]} findings, slowest {run.SlowestMilliseconds:F0} ms"));
        foreach (var (kind, (count, input, sample, verdict)) in run.Findings.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            found++;
            var file = Path.Combine(target, $"seed{parsed.GetValue(seed)}-input{input}-{sample.FileName}");
            File.WriteAllBytes(file, sample.Bytes);
            File.WriteAllBytes(file + ".min", run.Minimize(sample, verdict, work).Bytes);
            File.WriteAllText(file + ".txt", $"{kind}\n{verdict.Detail}\n");
            Console.WriteLine($"  {count} x {kind}: --format {name} --seed {parsed.GetValue(seed)} --first {input} --inputs 1 ({file})");
        }

        if (run.GaveUp)
            Console.WriteLine("  gave up: too many reads do not end");
        else
            Directory.Delete(work, recursive: true);
    }

    return found == 0 ? 0 : 1;
});
return command.Parse(args).Invoke();
