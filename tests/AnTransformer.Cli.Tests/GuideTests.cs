using System.Text.RegularExpressions;

namespace AnTransformer.Cli.Tests;

/// <summary>
/// Every block of code in the guides: bash is run, guide by guide, with a hundredth of the steps; C# is in a file that is compiled; what is
/// for other machines' programs is at least well-formed.
/// </summary>
public sealed partial class GuideTests : IDisposable
{
    // The tool under its name, training less: --steps divided by 100, or 10 of them; studies of one seed at one rate.
    private const string SmallTool = """
        #!/bin/bash
        given=" $* "
        args=()
        previous=
        for arg in "$@"; do
            if [[ $previous == --steps && $arg =~ ^[0-9]{3,}$ ]]; then arg=$(((arg + 99) / 100)); fi
            args+=("$arg")
            previous=$arg
        done
        case $1 in
            train | launch)
                [[ $given == *" --steps "* ]] || args+=(--training.steps 10)
                args+=(--evaluation.batches 2 --evaluation.sample_tokens 8)
                ;;
            compare)
                if [[ $given != *" --dry-run "* ]]; then
                    for set in training.steps=4 evaluation.interval=2 evaluation.batches=1 model.hidden_size=32 logging.plot=false; do
                        args+=(--set "$set")
                    done
                    args+=(--learning-rates 0.003 --max-extensions 0)
                    [[ $given == *" --seeds "* ]] || args+=(--seeds 1)
                fi
                ;;
            inspect) args+=(--batches 1 --batch-size 2) ;;
        esac
        exec dotnet "$ANGPT_DLL" "${args[@]}"
        """;

    private readonly Angpt _angpt = new();

    public static TheoryData<string> Guides
        => new(Directory.EnumerateFiles(Path.Combine(Repository, "docs", "guides"), "*.md").Select(path => Path.GetFileName(path)!).Order());

    private static string Repository { get; } = FindRepository();

    public void Dispose() => _angpt.Dispose();

    [Theory]
    [MemberData(nameof(Guides))]
    public void Commands_run_one_after_the_other(string guide)
    {
        var script = string.Join('\n', Blocks(guide, "bash"));
        Assert.NotEmpty(script);
        Assert.SkipWhen(script.Contains("mpirun", StringComparison.Ordinal) && !Angpt.Succeeds("command -v mpirun"), "There is no mpirun.");
        Directory.CreateDirectory(_angpt.In("bin"));
        File.WriteAllText(_angpt.In("bin", "angpt"), SmallTool);
        Assert.True(Angpt.Succeeds($"chmod +x {_angpt.In("bin", "angpt")}"));
        File.WriteAllText(_angpt.In("guide.sh"), script);
        _angpt.Variables["ANGPT_DLL"] = Path.Combine(AppContext.BaseDirectory, "angpt.dll");
        var result = _angpt.Shell($"PATH={_angpt.In("bin")}:$PATH; bash -euo pipefail guide.sh");
        Assert.True(result.ExitCode == 0, $"{guide} ended with {result.ExitCode}:\n{result.Output}\n{result.Error}");
    }

    [Theory]
    [MemberData(nameof(Guides))]
    public void Sources_are_those_that_are_compiled(string guide)
    {
        var sources = new Lazy<List<string>>(() => [.. Directory
            .EnumerateFiles(Path.Combine(Repository, "src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText)]);
        foreach (var block in Blocks(guide, "csharp"))
            Assert.True(sources.Value.Exists(source => source.Contains(block, StringComparison.Ordinal)), $"{guide}: in no source:\n{block}");
        foreach (var block in Blocks(guide, "sh"))
        {
            File.WriteAllText(_angpt.In("block.sh"), block);
            Assert.True(Angpt.Succeeds($"bash -n {_angpt.In("block.sh")}"), block);
        }

        foreach (var block in Blocks(guide, "python").Where(_ => Angpt.Succeeds("command -v python3")))
        {
            File.WriteAllText(_angpt.In("block.py"), block);
            Assert.True(Angpt.Succeeds($"python3 -m py_compile {_angpt.In("block.py")}"), block);
        }

        // Whatever else a guide shows would be neither.
        Assert.Empty(Language().Matches(Text(guide)).Select(match => match.Groups["name"].Value).Except(["bash", "csharp", "sh", "python"]));
    }

    private static IEnumerable<string> Blocks(string guide, string language)
        => Regex.Matches(Text(guide), $"^```{language}\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, Timeout.InfiniteTimeSpan)
            .Select(match => match.Groups["code"].Value);

    private static string Text(string guide) => File.ReadAllText(Path.Combine(Repository, "docs", "guides", guide));

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex("^```(?<name>[a-z]+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, -1)]
    private static partial Regex Language();
}
