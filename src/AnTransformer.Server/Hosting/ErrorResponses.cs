using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AnTransformer.Server.Hosting;

/// <summary>Turns whatever goes wrong into an error that a client can read; nothing of the server shows.</summary>
internal sealed partial class ErrorResponses(RequestDelegate next, ILogger<ErrorResponses> logger)
{
    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && OfStatus(context.Response.StatusCode) is { } error)
                await ErrorBody.WriteAsync(context, error);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to tell.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await ErrorBody.WriteAsync(context, Translated(e));
        }
    }

    private ApiException Translated(Exception error)
    {
        switch (error)
        {
            case ApiException known:
                return known;
            case InvalidInputException input:
                return new ApiException(StatusCodes.Status400BadRequest, input.Message);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new ApiException(
                    StatusCodes.Status413PayloadTooLarge,
                    "The request's body is too large; send fewer prompts at once.");
            case BadHttpRequestException bad:
                return new ApiException(bad.StatusCode, "The request is not well-formed HTTP.");
            case OperationCanceledException:
                return new ApiException(
                    StatusCodes.Status503ServiceUnavailable,
                    "The server is stopping; send the request to another one.");
            default:
                Failed(error);
                return new ApiException(
                    StatusCodes.Status500InternalServerError, "The server failed; its log tells why.");
        }
    }

    private static ApiException? OfStatus(int status) => status switch
    {
        StatusCodes.Status404NotFound => new ApiException(
            status, "There is nothing at this address; /v1/completions continues text.", code: "not_found"),
        StatusCodes.Status405MethodNotAllowed => new ApiException(
            status, "This address does not take this method; see the Allow header."),
        StatusCodes.Status415UnsupportedMediaType => new ApiException(
            status, "The body must be JSON; send it with Content-Type: application/json."),
        _ => null,
    };

    [LoggerMessage(LogLevel.Error, "a request failed")]
    private partial void Failed(Exception error);
}
