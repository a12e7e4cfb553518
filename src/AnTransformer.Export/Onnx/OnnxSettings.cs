using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AnTransformer.Export.Onnx;

/// <summary>
/// What lies beside the graph and tells programs its sizes, the names of its inputs and outputs, and which token ends a
/// text.
/// </summary>
internal static class OnnxSettings
{
    // Programs learn from it which inputs and outputs there are, and nothing of what the graph computes. Of the types
    // that they know this one has a size of heads of its own.
    private const string ModelType = "qwen3";

    // The token that ends a text begins one, and fills what is short.
    private static readonly string[] TokenKeys = ["bos_token_id", "eos_token_id", "pad_token_id"];

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary><c>config.json</c>, for transformers.js.</summary>
    /// <param name="source">The model.</param>
    /// <param name="isExternal">Whether the tensors are in a file of their own.</param>
    public static string Config(ExportSource source, bool isExternal)
    {
        var config = source.Config;
        var web = new JsonObject { ["dtype"] = "fp32" };                // or WebAssembly looks for model_quantized.onnx
        if (isExternal)
            web["use_external_data_format"] = new JsonObject { ["model.onnx"] = 1 };
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray("Qwen3ForCausalLM"),
            ["model_type"] = ModelType,
            ["vocab_size"] = config.VocabSize,
            ["hidden_size"] = config.HiddenSize,
            ["intermediate_size"] = config.IntermediateSize,
            ["num_hidden_layers"] = config.NumHiddenLayers,
            ["num_attention_heads"] = config.NumAttentionHeads,
            ["num_key_value_heads"] = config.Attention.KeyValueHeads,
            ["head_dim"] = config.HeadSize,
            ["hidden_act"] = "silu",
            ["max_position_embeddings"] = config.MaxPositionEmbeddings,
            ["rope_theta"] = config.RopeTheta,
            ["tie_word_embeddings"] = config.TieWordEmbeddings,
            ["antransformer_model_type"] = config.Architecture,
            ["transformers.js_config"] = web,
        };
        foreach (var key in TokenKeys)
            json[key] = source.Tokenizer?.EndOfTextId;
        return Text(json);
    }

    /// <summary><c>genai_config.json</c>, for ONNX Runtime GenAI.</summary>
    /// <param name="source">The model.</param>
    public static string GenAi(ExportSource source)
    {
        var config = source.Config;
        var decoder = new JsonObject
        {
            ["session_options"] = new JsonObject
            {
                ["log_id"] = "onnxruntime-genai",
                ["provider_options"] = new JsonArray(),
            },
            ["filename"] = "onnx/model.onnx",
            ["head_size"] = config.HeadSize,
            ["hidden_size"] = config.HiddenSize,
            ["inputs"] = new JsonObject
            {
                ["input_ids"] = "input_ids",
                ["attention_mask"] = "attention_mask",
                ["position_ids"] = "position_ids",
                ["past_key_names"] = "past_key_values.%d.key",
                ["past_value_names"] = "past_key_values.%d.value",
            },
            ["outputs"] = new JsonObject
            {
                ["logits"] = "logits",
                ["present_key_names"] = "present.%d.key",
                ["present_value_names"] = "present.%d.value",
            },
            ["num_attention_heads"] = config.NumAttentionHeads,
            ["num_hidden_layers"] = config.NumHiddenLayers,
            ["num_key_value_heads"] = config.Attention.KeyValueHeads,
        };
        var model = new JsonObject
        {
            ["type"] = ModelType,
            ["vocab_size"] = config.VocabSize,
            ["context_length"] = config.MaxPositionEmbeddings,
            ["decoder"] = decoder,
        };
        if (source.Tokenizer?.EndOfTextId is { } end)
        {
            foreach (var key in TokenKeys)
                model[key] = end;
        }

        return Text(new JsonObject
        {
            ["model"] = model,
            ["search"] = new JsonObject
            {
                ["do_sample"] = false,
                ["max_length"] = config.MaxPositionEmbeddings,
                ["min_length"] = 0,
                ["num_beams"] = 1,
                ["num_return_sequences"] = 1,
                ["past_present_share_buffer"] = false,
                ["repetition_penalty"] = 1.0,
                ["temperature"] = 1.0,
                ["top_k"] = 1,
                ["top_p"] = 1.0,
            },
        });
    }

    private static string Text(JsonObject json) => json.ToJsonString(Indented) + "\n";
}
