using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AnTransformer.Server.Pages;

/// <summary>The pages and what they load: files inside of this assembly, so that they work without a network.</summary>
internal static class PageEndpoints
{
    private static readonly (string Path, string File, string Type)[] Files =
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/runs", "runs.html", "text/html; charset=utf-8"),
        ("/page.css", "page.css", "text/css; charset=utf-8"),
        ("/client.js", "client.js", "text/javascript; charset=utf-8"),
        ("/tokens.js", "tokens.js", "text/javascript; charset=utf-8"),
        ("/index.js", "index.js", "text/javascript; charset=utf-8"),
        ("/runs.js", "runs.js", "text/javascript; charset=utf-8"),
        ("/chart.js", "chart.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
    ];

    private static readonly HashSet<string> Open = [.. Files.Select(file => file.Path), "/health"];

    /// <summary>Whether an address needs no key: it tells nothing of models or runs.</summary>
    public static bool IsOpen(PathString path) => path.Value is { } value && Open.Contains(value);

    /// <summary>Adds them to a server.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (path, file, type) in Files)
        {
            var content = Read(file);
            routes.MapGet(path, () => Results.Bytes(content, type));
        }
    }

    private static byte[] Read(string file)
    {
        using var stream = typeof(PageEndpoints).Assembly.GetManifestResourceStream($"pages/{file}")!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
