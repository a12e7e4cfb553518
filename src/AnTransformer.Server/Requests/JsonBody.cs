using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Requests;

/// <summary>A request's body: one JSON object, no larger and no deeper than a request needs.</summary>
internal static class JsonBody
{
    // Lists of lists of ids, in an object.
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>Reads it.</summary>
    /// <exception cref="ApiException">It is no JSON object, or is not sent as one.</exception>
    public static async Task<JsonFields> ReadAsync(HttpRequest request)
    {
        // Only this type makes a browser ask first before it sends what a page of another site wants sent.
        if (!request.HasJsonContentType())
        {
            throw new ApiException(
                StatusCodes.Status415UnsupportedMediaType,
                "The body must be JSON; send it with Content-Type: application/json.");
        }

        try
        {
            using var document = await JsonDocument.ParseAsync(
                request.Body, Strict, request.HttpContext.RequestAborted);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return new JsonFields(document.RootElement.Clone());
        }
        catch (JsonException)
        {
            // Its message quotes what was sent.
        }

        throw new ApiException(
            StatusCodes.Status400BadRequest,
            "The body is not a JSON object without repeated names, at most 8 levels deep; send one.");
    }
}
