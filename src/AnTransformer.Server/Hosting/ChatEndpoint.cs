using AnTransformer.Server.Requests;
using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Hosting;

/// <summary><c>POST /v1/chat/completions</c>: no model that is trained here has a chat template.</summary>
internal static class ChatEndpoint
{
    /// <summary>Refuses.</summary>
    public static async Task InvokeAsync(HttpContext context)
    {
        await JsonBody.ReadAsync(context.Request);
        throw new ApiException(
            StatusCodes.Status400BadRequest,
            "The model has no chat template: it continues text. Send the text as prompt to /v1/completions.",
            "messages", "no_chat_template");
    }
}
