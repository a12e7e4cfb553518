using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Models;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/NAME</c>.</summary>
internal sealed class ModelEndpoints(ModelTable models)
{
    /// <summary>All models.</summary>
    public IResult All() => Results.Json(new { @object = "list", data = models.All.Select(Describe) });

    /// <summary>One.</summary>
    public IResult One(string name) => Results.Json(Describe(models.Find(name)));

    private static object Describe(ServedModel model) => new
    {
        id = model.Name,
        @object = "model",
        created = model.Created.ToUnixTimeSeconds(),
        owned_by = "antransformer",
        architecture = model.Architecture,
        max_model_len = model.Context,
        vocab_size = model.Tokenizer.VocabularySize,
    };
}
