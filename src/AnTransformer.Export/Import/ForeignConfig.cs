using System.Text.Json;
using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Files;

namespace AnTransformer.Export.Import;

/// <summary>
/// Reads <c>config.json</c> of Hugging Face's Llama and Qwen3 models as a configuration of <c>gpt</c> and <c>gpt+</c>,
/// and refuses what these do not compute.
/// </summary>
/// <remarks>
/// Keys that are not there have the values that <c>LlamaConfig</c> and <c>Qwen3Config</c> of transformers give them.
/// Keys that these classes do not read change nothing there, and so nothing here.
/// </remarks>
internal static class ForeignConfig
{
    private const string LlamaType = "llama";
    private const string Qwen3Type = "qwen3";
    private const int LargestSize = 1 << 24;
    private const int MostLayers = 1 << 16;

    /// <summary>Reads and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">
    /// It cannot be read, is malformed, or is of a model that no architecture here computes.
    /// </exception>
    public static ModelConfig Load(string path)
    {
        try
        {
            // As text, in which bytes that are no UTF-8 are replaced: quoting them would fail.
            using var document = JsonDocument.Parse(RegularFile.ReadAllText(path, RegularFile.SettingsLimit));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement, path)
                : throw new InvalidInputException(
                    $"{path}: must be a JSON object of model settings, not {document.RootElement.ValueKind}.");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(
                $"{path}: not valid JSON ({Printable.Excerpt(e.Message.TrimEnd('.'), longest: 200)}); fetch the file "
                + "anew.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message.TrimEnd('.')}); check that it exists and may be read.", e);
        }
    }

    private static ModelConfig Read(JsonElement root, string path)
    {
        var fields = new JsonFields(root, path);
        var type = RequireKnownType(fields);
        RequireSupported(fields, root, type);
        var isQwen3 = type == Qwen3Type;
        var hidden = Size(fields, "hidden_size", null);
        var heads = Size(fields, "num_attention_heads", null);
        var config = ArchitectureRegistry.CreateConfig(
            isQwen3 ? GptPlusDefinition.ArchitectureName : "gpt",
            Size(fields, "vocab_size", null),
            hidden,
            heads,
            Size(fields, "num_hidden_layers", null, MostLayers),
            Size(fields, "max_position_embeddings", null),
            Size(fields, "intermediate_size", null)) with
        {
            // Null, in either, is a head of keys and values for each head.
            NumKeyValueHeads = fields.Has("num_key_value_heads") || !isQwen3 || IsNull(root, "num_key_value_heads")
                ? Size(fields, "num_key_value_heads", heads)
                : 32,
            HeadDim = HeadDim(fields, hidden, heads, isQwen3),
            TieWordEmbeddings = fields.Bool("tie_word_embeddings") ?? false,
            RmsNormEps = fields.Double("rms_norm_eps") ?? 1e-6,
            RopeTheta = RopeTheta(fields, root, isQwen3),
        };
        config.Validate(path);
        return config;
    }

    private static string RequireKnownType(JsonFields fields)
    {
        var type = fields.RequiredString("model_type");
        if (type is not (LlamaType or Qwen3Type))
        {
            throw new InvalidInputException(ArchitectureRegistry.Find(type) is not null
                ? $"{fields.Place}: model_type '{Printable.Excerpt(type)}' is an architecture of AnTransformer; use "
                    + "the checkpoint as it is."
                : $"{fields.Place}: model_type '{Printable.Excerpt(type)}' is not supported; choose a model whose "
                    + $"model_type is {LlamaType} or "
                    + $"{Qwen3Type}.");
        }

        return type;
    }

    private static void RequireSupported(JsonFields fields, JsonElement root, string type)
    {
        var place = fields.Place;
        foreach (var key in (string[])["quantization_config", "compression_config"])
        {
            if (fields.Has(key))
            {
                throw new InvalidInputException(
                    $"{place}: the model is quantized ({key}), which is not supported; use one with weights in F32, "
                    + "F16 or BF16.");
            }
        }

        if (fields.Has("auto_map"))
        {
            throw new InvalidInputException(
                $"{place}: auto_map says that the model comes with code of its own, which may compute anything; choose "
                + "a model without it.");
        }

        var architecture = type == Qwen3Type ? "Qwen3ForCausalLM" : "LlamaForCausalLM";
        if (fields.Has("architectures")
            && !Strings(root, "architectures").Contains(architecture, StringComparer.Ordinal))
        {
            throw new InvalidInputException(
                $"{place}: architectures does not have {architecture}, so the weights are not those of a language "
                + "model; choose one.");
        }

        foreach (var key in (string[])["attention_bias", "mlp_bias"])
        {
            if (fields.Bool(key) == true)
                throw new InvalidInputException(
                    $"{place}: {key} is true, and linear maps with biases are not supported; choose a model without.");
        }

        if (fields.Bool("is_causal") == false)
            throw new InvalidInputException(
                $"{place}: is_causal is false, which is not supported; choose a causal language model.");
        if ((fields.String("hidden_act") ?? "silu") is var activation && activation is not ("silu" or "swish"))
        {
            throw new InvalidInputException(
                $"{place}: hidden_act '{Printable.Excerpt(activation)}' is not supported; choose a model with silu.");
        }

        RequireNoWindow(fields, root, type);
    }

    private static void RequireNoWindow(JsonFields fields, JsonElement root, string type)
    {
        if (type != Qwen3Type)
            return;                                                     // Llama's class reads none of these keys
        var layers = fields.Has("layer_types") ? Strings(root, "layer_types") : null;
        // Without a list, layers from max_window_layers (28) on have the window.
        var isUsed = layers is not null
            ? layers.Any(layer => layer != "full_attention")
            : fields.Bool("use_sliding_window") == true && fields.Has("sliding_window")
                && (fields.Int("max_window_layers") ?? 28) < Size(fields, "num_hidden_layers", null, MostLayers);
        if (isUsed)
        {
            throw new InvalidInputException(
                $"{fields.Place}: {(layers is null ? "use_sliding_window" : "layer_types")} asks for attention of "
                + "several kinds, which is not "
                + "supported; choose a model with full attention in all layers.");
        }
    }

    private static int? HeadDim(JsonFields fields, int hidden, int heads, bool isQwen3)
    {
        if (fields.Has("head_dim"))
            return Size(fields, "head_dim", null);
        if (isQwen3)
            return 128;
        return hidden % heads == 0 ? hidden / heads : null;             // and validation names the keys
    }

    private static double RopeTheta(JsonFields fields, JsonElement root, bool isQwen3)
    {
        var theta = fields.Double("rope_theta");
        foreach (var key in (string[])["rope_scaling", "rope_parameters"])
        {
            if (!fields.Has(key))
                continue;
            var place = $"{fields.Place}: {key}";
            var value = root.GetProperty(key);
            if (value.ValueKind != JsonValueKind.Object)
                throw new InvalidInputException(
                    $"{place} must be an object, not {Printable.Excerpt(value.GetRawText())}.");
            var rope = new JsonFields(value, place);
            if (value.EnumerateObject().Any(member => member.Value.ValueKind == JsonValueKind.Object))
                throw new InvalidInputException(
                    $"{place} differs by layers, which is not supported; choose a model with one kind of positions.");
            var kind = rope.String("rope_type") ?? rope.String("type") ?? "default";
            if (kind != "default")
            {
                throw new InvalidInputException(
                    $"{place} is of type '{Printable.Excerpt(kind)}', and only plain rotary positions (default) are "
                    + "supported; choose a model that "
                    + "has them.");
            }

            RequireWholeHead(rope);
            var inner = rope.Double("rope_theta");
            if (inner is not null && theta is not null && inner != theta)
            {
                throw new InvalidInputException(
                    $"{place} has rope_theta {inner}, and {theta} is given elsewhere; remove the one that is wrong.");
            }

            theta ??= inner;
        }

        RequireWholeHead(fields);
        // Versions of Qwen3Config differ in their default.
        return theta ?? (isQwen3
            ? throw new InvalidInputException(
                $"{fields.Place}: 'rope_theta' is missing, here and in rope_parameters; add it.")
            : 10_000);
    }

    private static void RequireWholeHead(JsonFields fields)
    {
        if (fields.Double("partial_rotary_factor") is { } factor && factor != 1)
        {
            throw new InvalidInputException(
                $"{fields.Place}: partial_rotary_factor {factor} is not supported; choose a model whose heads are "
                + "turned whole (1).");
        }
    }

    private static int Size(JsonFields fields, string key, int? byDefault, int largest = LargestSize)
    {
        var size = byDefault is { } value ? fields.Int(key) ?? value : fields.RequiredInt(key);
        return size >= 1 && size <= largest
            ? size
            : throw new InvalidInputException($"{fields.Place}: {key} must lie between 1 and {largest}, not {size}.");
    }

    private static bool IsNull(JsonElement root, string key)
        => root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Null;

    private static List<string> Strings(JsonElement root, string key)
    {
        var list = root.GetProperty(key);
        // Ordinal comparisons of raw text: a string may be no valid Unicode.
        return list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(item => item.GetRawText().Trim('"'))]
            : [list.GetRawText().Trim('"')];
    }
}
