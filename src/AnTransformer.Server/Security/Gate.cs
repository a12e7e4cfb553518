using AnTransformer.Server.Pages;
using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Security;

/// <summary>
/// Who may ask: requests for a known host name, with the key where there is one. Pages and <c>/health</c> need no key,
/// since they tell nothing of models. Browsers of other sites cannot read answers (no CORS), frame pages or load
/// anything into them.
/// </summary>
internal sealed class Gate(RequestDelegate next, HostNames hosts, GateKey key)
{
    /// <summary>Runs the rest of the pipeline, or refuses.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy =
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        if (!hosts.Knows(context.Request.Host))
        {
            throw new ApiException(
                StatusCodes.Status403Forbidden,
                "This host name is not served; ask for localhost, or start the server with --allowed-hosts.",
                code: "host_not_allowed");
        }

        if (key.IsNeeded && !PageEndpoints.IsOpen(context.Request.Path) && !key.IsIn(context.Request))
        {
            throw new ApiException(
                StatusCodes.Status401Unauthorized, "The key is missing or wrong; send Authorization: Bearer KEY.",
                code: "invalid_api_key");
        }

        return next(context);
    }
}
