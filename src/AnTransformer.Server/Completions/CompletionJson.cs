using System.Text.Encodings.Web;
using System.Text.Json;
using AnTransformer.Server.Models;
using AnTransformer.Server.Tokens;

namespace AnTransformer.Server.Completions;

/// <summary>Completions in the shape of OpenAI's.</summary>
/// <param name="model">Who answers.</param>
/// <param name="tellsTokens">Whether log-probabilities were asked for.</param>
internal sealed class CompletionJson(ServedModel model, bool tellsTokens)
{
    // The answer is no part of a page, so that text need not be escaped for one.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly string _id = $"cmpl-{Guid.NewGuid():N}";
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>A whole answer, or a chunk of one, as UTF-8.</summary>
    /// <param name="choices">Completions, or what they have grown by.</param>
    /// <param name="usage">Tokens read and drawn, or null for none told.</param>
    public ReadOnlyMemory<byte> Of(
        IEnumerable<(int Index, CompletionPiece Piece)> choices, (int Prompt, int Drawn)? usage)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("id", _id);
            json.WriteString("object", "text_completion");
            json.WriteNumber("created", _created);
            json.WriteString("model", model.Name);
            json.WriteStartArray("choices");
            foreach (var (index, piece) in choices)
                WriteChoice(json, index, piece);
            json.WriteEndArray();
            if (usage is var (prompt, drawn))
            {
                json.WriteStartObject("usage");
                json.WriteNumber("prompt_tokens", prompt);
                json.WriteNumber("completion_tokens", drawn);
                json.WriteNumber("total_tokens", prompt + drawn);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private void WriteChoice(Utf8JsonWriter json, int index, CompletionPiece piece)
    {
        json.WriteStartObject();
        json.WriteString("text", piece.Text);
        json.WriteNumber("index", index);
        if (tellsTokens)
            WriteLogprobs(json, piece.Tokens);
        else
            json.WriteNull("logprobs");
        json.WriteString("finish_reason", piece.FinishReason);
        json.WriteEndObject();
    }

    private void WriteLogprobs(Utf8JsonWriter json, IReadOnlyList<PlacedToken> tokens)
    {
        json.WriteStartObject("logprobs");
        json.WriteStartArray("tokens");
        foreach (var (token, _) in tokens)
            json.WriteStringValue(Text(token.Id));
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs");
        foreach (var (token, _) in tokens)
        {
            if (double.IsNaN(token.Logprob))
                json.WriteNullValue();
            else
                json.WriteNumberValue(Finite(token.Logprob));
        }

        json.WriteEndArray();
        json.WriteStartArray("top_logprobs");
        foreach (var (token, _) in tokens)
        {
            if (double.IsNaN(token.Logprob))
            {
                json.WriteNullValue();
                continue;
            }

            json.WriteStartObject();
            foreach (var other in token.Alternatives)
                json.WriteNumber(Text(other.Id), Finite(other.Logprob));
            if (!token.Alternatives.Any(other => other.Id == token.Id))
                json.WriteNumber(Text(token.Id), Finite(token.Logprob));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("text_offset");
        foreach (var (_, offset) in tokens)
            json.WriteNumberValue(offset);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private string Text(int id) => TokenText.Of(model.Tokenizer, id);

    // JSON has no infinity.
    private static double Finite(double value) => Math.Max(value, -1e9);
}
