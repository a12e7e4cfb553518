using AnTransformer.Server.Models;
using AnTransformer.Server.Requests;
using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Tokens;

/// <summary>
/// <c>/tokenize</c>, <c>/detokenize</c> and <c>/tokenizer_info</c>, as vLLM has them and as lm-evaluation-harness asks
/// for them of a remote tokenizer.
/// </summary>
internal sealed class TokenEndpoints(ModelTable models)
{
    /// <summary>
    /// Text to ids. No token is added, whatever <c>add_special_tokens</c> says: models are trained without.
    /// </summary>
    public async Task<IResult> TokenizeAsync(HttpContext context)
    {
        var fields = await JsonBody.ReadAsync(context.Request);
        var model = models.Find(fields.String("model"));
        fields.Bool("add_special_tokens");
        var text = fields.String("prompt")
            ?? throw ApiException.Invalid("prompt", "prompt must be a text; it is missing.");
        // Within a text it is a text like any other; who asks for its id, as clients do, asks for nothing else.
        var ids = text.Length > 0 && text == model.Tokenizer.EndOfText
            ? [model.Tokenizer.EndOfTextId!.Value]
            : model.Tokenizer.Encode(text);
        return Results.Json(new
        {
            count = ids.Count,
            max_model_len = model.Context,
            tokens = ids,
            token_strs = fields.Bool("return_token_strs")
                ? ids.Select(id => TokenText.Of(model.Tokenizer, id))
                : null,
        });
    }

    /// <summary>Ids to text.</summary>
    public async Task<IResult> DetokenizeAsync(HttpContext context)
    {
        var fields = await JsonBody.ReadAsync(context.Request);
        var model = models.Find(fields.String("model"));
        var list = fields.Find("tokens")
            ?? throw ApiException.Invalid("tokens", "tokens must be a list of token ids; it is missing.");
        var ids = Prompt.ReadIds(list, "tokens");
        model.RequireKnown(ids, "tokens");
        return Results.Json(new { prompt = model.Tokenizer.Decode(ids) });
    }

    /// <summary>What a tokenizer is; <c>?model=NAME</c> where there are several.</summary>
    public IResult Info(HttpContext context)
    {
        var model = models.Find(context.Request.Query["model"].FirstOrDefault());
        var end = model.Tokenizer.EndOfText;
        return Results.Json(new
        {
            tokenizer_class = "PreTrainedTokenizerFast",
            vocab_size = model.Tokenizer.VocabularySize,
            model_max_length = model.Context,
            eos_token = end,
            eos_token_id = model.Tokenizer.EndOfTextId,
            bos_token = (string?)null,
            pad_token = end,
            add_bos_token = false,
            chat_template = (string?)null,
        });
    }
}
