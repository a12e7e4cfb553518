using System.Text.Json;
using AnTransformer.Export.Standard;

namespace AnTransformer.Export.HuggingFace;

/// <summary>
/// <c>config.json</c> of <c>LlamaForCausalLM</c> and <c>Qwen3ForCausalLM</c>: every field, since what is left out takes
/// the values of the models that were published (32 key-value heads, heads of 128, token 1 as the first).
/// </summary>
internal static class HuggingFaceConfig
{
    /// <summary>The class of transformers that runs a model.</summary>
    public static string ClassOf(StandardModel model) => model.IsQwen3 ? "Qwen3ForCausalLM" : "LlamaForCausalLM";

    /// <summary>Writes the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The model.</param>
    /// <param name="dtype">The type of the weights.</param>
    /// <param name="endOfText">The id that ends a text, or null.</param>
    public static void Write(string path, StandardModel model, ExportDtype dtype, int? endOfText)
        => JsonText.WriteObject(path, json =>
        {
            var config = model.Config;
            var type = dtype switch
            {
                ExportDtype.F16 => "float16",
                ExportDtype.BF16 => "bfloat16",
                _ => "float32",
            };
            json.WriteStartArray("architectures");
            json.WriteStringValue(ClassOf(model));
            json.WriteEndArray();
            json.WriteString("model_type", model.IsQwen3 ? "qwen3" : "llama");
            json.WriteNumber("vocab_size", config.VocabSize);
            json.WriteNumber("hidden_size", config.HiddenSize);
            json.WriteNumber("intermediate_size", config.IntermediateSize);
            json.WriteNumber("num_hidden_layers", config.NumHiddenLayers);
            json.WriteNumber("num_attention_heads", config.NumAttentionHeads);
            json.WriteNumber("num_key_value_heads", config.Attention.KeyValueHeads);
            json.WriteNumber("head_dim", config.HeadSize);
            json.WriteString("hidden_act", "silu");
            json.WriteNumber("max_position_embeddings", config.MaxPositionEmbeddings);
            json.WriteFloat("rms_norm_eps", model.Epsilon);
            json.WriteBoolean("tie_word_embeddings", model.Head is null);
            WriteRope(json, config.RopeTheta);
            json.WriteBoolean("attention_bias", value: false);
            json.WriteFloat("attention_dropout", 0);
            if (model.IsQwen3)
            {
                json.WriteBoolean("use_sliding_window", value: false);
                json.WriteNull("sliding_window");
                json.WriteNumber("max_window_layers", config.NumHiddenLayers);
                json.WriteStartArray("layer_types");
                for (var layer = 0; layer < config.NumHiddenLayers; layer++)
                    json.WriteStringValue("full_attention");
                json.WriteEndArray();
            }
            else
            {
                json.WriteBoolean("mlp_bias", value: false);
                json.WriteNumber("pretraining_tp", 1);
            }

            json.WriteFloat("initializer_range", 0.02);
            json.WriteBoolean("use_cache", value: true);
            json.WriteNumberOrNull("bos_token_id", endOfText);
            json.WriteNumberOrNull("eos_token_id", endOfText);
            json.WriteNull("pad_token_id");
            // transformers 5 reads dtype and rope_parameters, transformers 4 the names beside them.
            json.WriteString("dtype", type);
            json.WriteString("torch_dtype", type);
        });

    private static void WriteRope(Utf8JsonWriter json, double theta)
    {
        json.WriteFloat("rope_theta", theta);
        json.WriteNull("rope_scaling");
        json.WriteStartObject("rope_parameters");
        json.WriteString("rope_type", "default");
        json.WriteFloat("rope_theta", theta);
        json.WriteEndObject();
    }
}
