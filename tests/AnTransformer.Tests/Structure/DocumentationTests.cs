using System.Text.RegularExpressions;

namespace AnTransformer.Tests.Structure;

/// <summary>Links of the documentation lead somewhere, and its pages begin with what they are for.</summary>
public sealed partial class DocumentationTests
{
    private static string Root { get; } = FindRoot();

    public static TheoryData<string> Pages => new(
        Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(Root, "*.md"))
            .Select(path => Path.GetRelativePath(Root, path)).Where(path => !path.Contains("_site", StringComparison.Ordinal)).Order());

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        var path = Path.Combine(Root, page);
        foreach (Match link in Link().Matches(Fence().Replace(File.ReadAllText(path), "")))
        {
            var target = link.Groups["target"].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
                continue;
            var parts = target.Split('#');
            var file = parts[0].Length == 0 ? path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, parts[0]));
            Assert.True(File.Exists(file) || Directory.Exists(file), $"{page}: {target} leads nowhere");
            if (parts.Length > 1)
                Assert.True(Anchors(file).Contains(parts[1]), $"{page}: {target}: there is no such heading");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Pages_begin_with_what_they_are_for_and_a_command(string page)
    {
        Assert.SkipUnless(page.StartsWith("docs", StringComparison.Ordinal), "Only documentation.");
        var lines = File.ReadAllLines(Path.Combine(Root, page));
        Assert.StartsWith("# ", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines.Take(16), line => line.StartsWith("```", StringComparison.Ordinal));
    }

    private static HashSet<string> Anchors(string file)
        => [.. Heading().Matches(File.ReadAllText(file)).Select(match => NoWord().Replace(match.Groups["text"].Value.ToLowerInvariant().Trim(), "")
            .Replace(' ', '-'))];

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, -1)]
    private static partial Regex Link();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline, -1)]
    private static partial Regex Fence();

    [GeneratedRegex("^#+ (?<text>.*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, -1)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]", RegexOptions.None, -1)]
    private static partial Regex NoWord();
}
