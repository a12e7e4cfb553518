using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Models;

/// <summary>The models that are served, by name. Owns them.</summary>
/// <param name="models">At least one, with different names.</param>
internal sealed class ModelTable(IReadOnlyList<ServedModel> models) : IDisposable
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<ServedModel> All => models;

    /// <summary>A model by its name; the only one may be left unnamed.</summary>
    /// <exception cref="ApiException">There is none, or a name is needed.</exception>
    public ServedModel Find(string? name)
    {
        if (name is null)
        {
            return models.Count == 1
                ? models[0]
                : throw ApiException.Invalid("model", "model is missing; GET /v1/models lists the models.");
        }

        return models.FirstOrDefault(model => model.Name == name)
            ?? throw new ApiException(
                StatusCodes.Status404NotFound, "This model is not served; GET /v1/models lists the models.", "model",
                "model_not_found");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var model in models)
            model.Dispose();
    }
}
