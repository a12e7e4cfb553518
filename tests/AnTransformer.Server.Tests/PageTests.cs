using Microsoft.Playwright;

namespace AnTransformer.Server.Tests;

/// <summary>The pages as somebody uses them, in Chromium, where it is installed.</summary>
public sealed class PageTests : IAsyncLifetime
{
    private readonly string _runs = Directory.CreateTempSubdirectory("angpt-runs-").FullName;
    private readonly List<string> _faults = [];
    private TestServer? _server;
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private IPage? _page;

    private static string? Chromium
        => new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    private IPage Page => _page!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(Chromium is null, "Chromium is not installed (apt-get install chromium).");
        WriteRun("older", 3.5);
        WriteRun("study/runs/newer", 3.25);
        await File.WriteAllTextAsync(
            Path.Combine(_runs, "study", "report.html"), "<!DOCTYPE html><title>Report</title><p id=a>plain</p><script>a.textContent='drawn'</script>");
        _server = new TestServer { Options = new ServerOptions { Models = [], Runs = _runs } };
        await _server.InitializeAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = ["--no-sandbox"] });
        _page = await _browser.NewPageAsync(new BrowserNewPageOptions { BaseURL = _server.Address });
        _page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _faults.Add(message.Text);
        };
        _page.PageError += (_, error) => _faults.Add(error);
        _page.RequestFailed += (_, request) =>
        {
            // That is a request that was stopped, and now and then, to Chromium, a stream whose end has been read.
            if (request.Failure != "net::ERR_ABORTED")
                _faults.Add($"{request.Url} {request.Failure}");
        };
        // Nothing may come from elsewhere.
        _page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(_server.Address, StringComparison.Ordinal))
                _faults.Add(request.Url);
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        Directory.Delete(_runs, recursive: true);
    }

    [Fact]
    public async Task Two_models_continue_a_text_and_tokens_tell_their_alternatives()
    {
        await Page.GotoAsync("/");
        await Page.GetByLabel("Beside it").SelectOptionAsync("second");
        await Page.GetByLabel("Prompt").FillAsync("It was <b>");
        await Page.GetByLabel("Tokens", new() { Exact = true }).FillAsync("12");
        await Page.GetByLabel("Temperature").FillAsync("1");
        await Page.GetByLabel("Seed").FillAsync("3");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Generate" }).ClickAsync();
        await Page.GetByText("Done: 12 tokens and 12 tokens.").WaitForAsync();

        // What it shows is what the server answers.
        foreach (var model in (string[])["first", "second"])
        {
            var expected = await _server!.CompleteAsync(new { model, prompt = "It was <b>", max_tokens = 12, seed = 3, temperature = 1 });
            var shown = await Page.GetByLabel($"Text of {model}").Locator(".text").TextContentAsync();
            Assert.Equal("It was <b>" + expected.GetProperty("choices")[0].GetProperty("text").GetString(), shown);
        }

        var tokens = Page.GetByLabel("Text of first").Locator(".token");
        Assert.Equal(12, await tokens.CountAsync());
        await tokens.Nth(3).HoverAsync();
        var detail = Page.GetByLabel("Alternatives of a token");
        Assert.InRange(await detail.Locator("li").CountAsync(), 5, 6);
        Assert.Equal(1, await detail.Locator("li[data-drawn]").CountAsync());
        Assert.Contains("%", await detail.TextContentAsync(), StringComparison.Ordinal);
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task Everything_is_reached_by_keys()
    {
        await Page.GotoAsync("/");
        await Page.GetByLabel("Prompt").FocusAsync();
        await Page.Keyboard.PressAsync("Control+A");
        await Page.Keyboard.TypeAsync("It was");
        // Up to the limit, so that a key can stop it.
        await Page.Keyboard.PressAsync("Tab");
        Assert.Equal("model-0", await FocusedIdAsync());
        await Page.Keyboard.PressAsync("Control+Enter");
        // Two of them, to go from one to the other.
        var tokens = Page.Locator(".token");
        await tokens.Nth(1).WaitForAsync();
        await Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(Page.GetByRole(AriaRole.Button, new() { Name = "Stop" })).ToBeDisabledAsync();
        var count = await tokens.CountAsync();
        await tokens.First.FocusAsync();
        await Page.Keyboard.PressAsync("ArrowRight");
        Assert.True(await tokens.Nth(1).EvaluateAsync<bool>("element => element === document.activeElement"));
        Assert.Equal(1, await Page.Locator(".token[tabindex='0']").CountAsync());
        Assert.True(count > 1);
        Assert.NotEqual("", await tokens.Nth(1).GetAttributeAsync("aria-label"));
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task What_the_server_refuses_is_said()
    {
        await Page.GotoAsync("/");
        await Page.GetByLabel("Prompt").FillAsync(new string('a', 200));
        await Page.GetByRole(AriaRole.Button, new() { Name = "Generate" }).ClickAsync();
        await Page.GetByText("prompt has 200 tokens and the model's context 96; send its end only.").WaitForAsync();
    }

    [Fact]
    public async Task Runs_are_drawn_compared_and_followed()
    {
        await Page.GotoAsync("/runs");
        await Page.GetByText("2 runs, 0 training.").WaitForAsync();
        var rows = Page.Locator("#runs tr");
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        Assert.Contains("3.2500", await Page.GetByRole(AriaRole.Row, new() { Name = "newer" }).TextContentAsync(), StringComparison.Ordinal);
        var chart = Page.GetByRole(AriaRole.Img, new() { Name = "Validation loss" });
        await Assertions.Expect(chart.Locator("path")).ToHaveCountAsync(2);
        await Page.GetByLabel("Draw older").UncheckAsync();
        await Assertions.Expect(chart.Locator("path")).ToHaveCountAsync(1);
        await Page.GetByLabel("logarithmic").CheckAsync();
        await Assertions.Expect(chart.Locator("path")).ToHaveCountAsync(1);

        // Another line, as a run writes it, comes by itself.
        await File.AppendAllTextAsync(
            Path.Combine(_runs, "older", "metrics.jsonl"), "{\"step\":300,\"tokens\":3000,\"loss\":1.125,\"val_loss\":1.25}\n");
        await Page.GetByText("1.1250").WaitForAsync();
        Assert.Empty(_faults);

        var report = await Page.Context.RunAndWaitForPageAsync(() => Page.GetByRole(AriaRole.Link, new() { Name = "study" }).ClickAsync());
        await report.GetByText("drawn").WaitForAsync();
    }

    private Task<string> FocusedIdAsync() => Page.EvaluateAsync<string>("document.activeElement.id");

    private void WriteRun(string name, double loss)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_runs, name)).FullName;
        File.WriteAllLines(
            Path.Combine(folder, "metrics.jsonl"),
            Enumerable.Range(1, 20).Select(
                i => FormattableString.Invariant($$"""{"step":{{i}},"tokens":{{i * 10}},"loss":{{loss + 20 - i}},"val_loss":{{loss + 20 - i}},"learning_rate":0.001}""")));
    }
}
