using AnTransformer.Training.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AnTransformer.Server.Runs;

/// <summary>What the page of runs asks for: runs of a folder, their curves, reports of studies.</summary>
internal static class RunEndpoints
{
    // A report draws by scripts and styles of its own; it may do nothing else, and is not of this server's origin.
    private const string ReportPolicy =
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
            + "img-src data:";

    /// <summary>Adds them to a server.</summary>
    /// <param name="routes">The server's.</param>
    /// <param name="folder">Whose runs, or null for none.</param>
    public static void Map(IEndpointRouteBuilder routes, string? folder)
    {
        if (folder is null)
        {
            routes.MapGet("/api/runs", IResult () => throw new ApiException(
                StatusCodes.Status404NotFound, "No folder of runs is shown; start the server with --runs DIR."));
            return;
        }

        var catalogue = new RunCatalogue(folder);
        routes.MapGet("/api/runs", () => Results.Json(new
        {
            runs = catalogue.Runs().Select(Describe),
            reports = catalogue.Reports(),
        }));
        routes.MapGet("/api/runs/curves", (HttpContext context) => Results.Json(
            RunCurves.Of(catalogue.FindRun(Name(context)) ?? throw NotThere())));
        routes.MapGet("/api/runs/report", (HttpContext context) =>
        {
            var file = catalogue.FindReport(Name(context)) ?? throw NotThere();
            context.Response.Headers.ContentSecurityPolicy = ReportPolicy;
            return Results.File(file, "text/html; charset=utf-8");
        });
    }

    private static string? Name(HttpContext context) => context.Request.Query["name"].FirstOrDefault();

    private static ApiException NotThere()
        => new(StatusCodes.Status404NotFound, "There is no such run; GET /api/runs lists them.", "name");

    private static object Describe(RunEntry run)
    {
        try
        {
            var records = RunCatalogue.Metrics(run);
            var last = records.Count > 0 ? records[^1] : null;
            return new
            {
                name = run.Name,
                written = new DateTimeOffset(run.Written).ToUnixTimeSeconds(),
                is_running = run.IsRunning,
                step = last?.Step,
                tokens = last?.Tokens,
                loss = Last(records, record => record.Loss),
                val_loss = Last(records, record => record.ValLoss),
                tokens_per_second = Last(records, record => record.TokensPerSecond),
            };
        }
        catch (InvalidInputException)
        {
            var written = new DateTimeOffset(run.Written).ToUnixTimeSeconds();
            return new { name = run.Name, written, is_damaged = true };
        }
    }

    // JSON has no infinity.
    private static double? Last(IReadOnlyList<MetricsRecord> records, Func<MetricsRecord, double?> figure)
        => records.Select(figure).LastOrDefault(value => value is not null) is { } number && double.IsFinite(number)
            ? number
            : null;
}
