using Microsoft.Playwright;

namespace AnTransformer.Server.Tests;

/// <summary>
/// Takes the pictures of the documentation from a server that shows two models and their runs:
/// <c>ANGPT_PICTURES_OF=http://127.0.0.1:8080 ANGPT_PICTURES_IN=docs/images dotnet run … -- -explicit only -class '*PictureTests'</c>.
/// </summary>
public sealed class PictureTests
{
    [Fact(Explicit = true)]
    public async Task Pictures()
    {
        var (address, folder) = (Environment.GetEnvironmentVariable("ANGPT_PICTURES_OF"), Environment.GetEnvironmentVariable("ANGPT_PICTURES_IN"));
        Assert.SkipWhen(address is null || folder is null, "Set ANGPT_PICTURES_OF and ANGPT_PICTURES_IN.");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox"] });
        var page = await browser.NewPageAsync(new BrowserNewPageOptions { BaseURL = address, ViewportSize = new() { Width = 1100, Height = 860 } });
        await page.GotoAsync("/");
        await page.GetByLabel("Beside it").SelectOptionAsync(new SelectOptionValue { Index = 2 });
        await page.GetByLabel("Tokens", new() { Exact = true }).FillAsync("60");
        await page.GetByLabel("Seed").FillAsync("1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Generate" }).ClickAsync();
        await page.Locator("#status", new() { HasText = "Done" }).WaitForAsync();
        await page.Locator(".token").Nth(6).HoverAsync();
        await page.ScreenshotAsync(new() { Path = Path.Combine(folder!, "serve-page.png") });
        await page.GotoAsync("/runs");
        await page.GetByRole(AriaRole.Img, new() { Name = "Validation loss" }).WaitForAsync();
        await page.ScreenshotAsync(new() { Path = Path.Combine(folder!, "serve-runs.png") });
    }
}
