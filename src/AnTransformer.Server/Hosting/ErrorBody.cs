using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Hosting;

/// <summary>Errors in the shape of OpenAI's: <c>{"error": {"message", "type", "param", "code"}}</c>.</summary>
internal static class ErrorBody
{
    /// <summary>Writes one as the whole answer.</summary>
    public static async Task WriteAsync(HttpContext context, ApiException error)
    {
        context.Response.Clear();
        context.Response.StatusCode = error.Status;
        context.Response.ContentType = "application/json";
        if (error.Status == StatusCodes.Status429TooManyRequests)
            context.Response.Headers.RetryAfter = "1";
        if (error.Status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        await context.Response.Body.WriteAsync(Of(error), CancellationToken.None);
    }

    /// <summary>One as UTF-8.</summary>
    public static byte[] Of(ApiException error) => JsonSerializer.SerializeToUtf8Bytes(
        new
        {
            error = new
            {
                message = error.Message,
                type = Type(error.Status),
                param = error.Parameter,
                code = error.Code,
            },
        });

    private static string Type(int status) => status switch
    {
        StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => "authentication_error",
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };
}
