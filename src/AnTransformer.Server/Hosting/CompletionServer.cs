using System.Net;
using AnTransformer.Server.Completions;
using AnTransformer.Server.Models;
using AnTransformer.Server.Pages;
using AnTransformer.Server.Runs;
using AnTransformer.Server.Scheduling;
using AnTransformer.Server.Security;
using AnTransformer.Server.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace AnTransformer.Server.Hosting;

/// <summary>Models behind HTTP: OpenAI's completions, a page, metrics.</summary>
internal sealed class CompletionServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ModelTable _models;
    private readonly ServerMetrics _metrics;

    private CompletionServer(WebApplication application, ModelTable models, ServerMetrics metrics)
        => (_application, _models, _metrics) = (application, models, metrics);

    /// <summary>Where it answers, such as <c>http://127.0.0.1:8080</c>.</summary>
    public string Address => _application.Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Loads the models and begins to answer.</summary>
    /// <exception cref="InvalidInputException">A model cannot be loaded, or the port not be had.</exception>
    public static async Task<CompletionServer> StartAsync(ServerOptions options, CancellationToken stop)
    {
        var metrics = new ServerMetrics();
        ModelTable? models = null;
        try
        {
            models = ModelLoading.Load(options, metrics);
            var application = Build(options, models, metrics);
            await ListenAsync(application, options, stop);
            return new CompletionServer(application, models, metrics);
        }
        catch (Exception)
        {
            models?.Dispose();
            metrics.Dispose();
            throw;
        }
    }

    /// <summary>Takes no more requests, and waits for those that run, up to the time that they may take.</summary>
    public Task StopAsync() => _application.StopAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // First the models: what still waits for one ends with an error rather than never.
        _models.Dispose();
        await _application.DisposeAsync();
        _metrics.Dispose();
    }

    private static WebApplication Build(ServerOptions options, ModelTable models, ServerMetrics own)
    {
        // An empty one: no variable of the environment and no file beside the program moves the port or the log.
        var builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = "Production" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.BodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.MaxConcurrentConnections = 1024;
            kestrel.Listen(options.Address, options.Port, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        builder.Logging.AddSimpleConsole(format => format.SingleLine = true).SetMinimumLevel(LogLevel.Warning)
            // Why it did not start is said by who starts it.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddRoutingCore();
        // Signals are the command's.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTime);
        builder.Services.AddSingleton(models);
        builder.Services.AddSingleton<CompletionEndpoint>();
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("angpt"));
        telemetry.WithMetrics(metrics => metrics
            .AddMeter(ServerMetrics.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
            .AddView(instrument => instrument.Meter.Name != ServerMetrics.Name || own.Owns(instrument)
                ? null
                : MetricStreamConfiguration.Drop)
            .AddPrometheusExporter());
        var application = builder.Build();
        application.UseMiddleware<ErrorResponses>();
        application.UseMiddleware<Gate>(new HostNames(options.AllowedHosts), new GateKey(options.ApiKey));
        application.UseRouting();
        Map(application, options, models);
        return application;
    }

    private static void Map(WebApplication application, ServerOptions options, ModelTable models)
    {
        var tokens = new TokenEndpoints(models);
        var known = new ModelEndpoints(models);
        var completions = application.Services.GetRequiredService<CompletionEndpoint>();
        application.MapPost("/v1/completions", completions.InvokeAsync);
        application.MapPost("/v1/chat/completions", ChatEndpoint.InvokeAsync);
        application.MapGet("/v1/models", known.All);
        application.MapGet("/v1/models/{**name}", known.One);
        application.MapPost("/tokenize", (Delegate)tokens.TokenizeAsync);
        application.MapPost("/detokenize", (Delegate)tokens.DetokenizeAsync);
        application.MapGet("/tokenizer_info", (Delegate)tokens.Info);
        application.MapGet("/health", () => Results.Json(new { status = "ok" }));
        application.MapPrometheusScrapingEndpoint("/metrics");
        PageEndpoints.Map(application);
        RunEndpoints.Map(application, options.Runs);
    }

    private static async Task ListenAsync(WebApplication application, ServerOptions options, CancellationToken stop)
    {
        try
        {
            await application.StartAsync(stop);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await application.DisposeAsync();
            var endpoint = new IPEndPoint(options.Address, options.Port);
            throw new InvalidInputException(
                e.InnerException is AddressInUseException || e is AddressInUseException
                    ? $"{endpoint}: another program answers there; choose another --port, or 0 for any that is free."
                    : $"{endpoint}: cannot be listened to ({e.Message.TrimEnd('.')}); choose another --host or --port.",
                e);
        }
    }

    /// <summary>Starts and stops when told.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
