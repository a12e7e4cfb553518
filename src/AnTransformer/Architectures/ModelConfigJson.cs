using System.Text.Json;
using System.Text.Json.Nodes;
using AnTransformer.Configuration;
using AnTransformer.Files;

namespace AnTransformer.Architectures;

/// <summary>Reads and writes <c>config.json</c>. Keys a file lacks take the architecture's defaults.</summary>
public static class ModelConfigJson
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    // Keys that Hugging Face's own files carry and that say nothing the model needs.
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "architectures", "auto_map", "torch_dtype", "dtype", "transformers_version", "use_cache", "bos_token_id",
        "eos_token_id",
        "pad_token_id", "initializer_range", "_name_or_path",
    };

    // Keys that have one legal value here, because all architectures share it.
    private static readonly Dictionary<string, string> Fixed = new(StringComparer.Ordinal)
    {
        ["hidden_act"] = "\"silu\"",
        ["attention_bias"] = "false",
        ["mlp_bias"] = "false",
        ["attention_dropout"] = "0",
    };

    /// <summary>Reads and validates a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">
    /// The file is missing, is not JSON, or a value is missing or out of range.
    /// </exception>
    public static ModelConfig Load(string path)
    {
        string text;
        try
        {
            text = RegularFile.ReadAllText(path, RegularFile.SettingsLimit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message}); a checkpoint needs config.json and model.safetensors.", e);
        }

        return Parse(text, path);
    }

    /// <summary>Reads and validates JSON text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">What errors name as its source.</param>
    /// <exception cref="InvalidInputException">
    /// The text is not JSON, or a value is missing, unknown or out of range.
    /// </exception>
    public static ModelConfig Parse(string json, string place)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(
                $"{place}: not valid JSON ({Printable.Excerpt(e.Message.TrimEnd('.'), longest: 200)}); restore the "
                    + "file or write it again.", e);
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidInputException(
                    $"{place}: must be a JSON object of model settings, not {document.RootElement.ValueKind}.");
            var config = Read(new JsonFields(document.RootElement, place));
            config.Validate(place);
            return config;
        }
    }

    /// <summary>The JSON text of a configuration: every key, in a fixed order.</summary>
    /// <param name="config">A configuration.</param>
    public static string Write(ModelConfig config)
    {
        var json = new JsonObject
        {
            ["model_type"] = config.Architecture,
            ["vocab_size"] = config.VocabSize,
            ["hidden_size"] = config.HiddenSize,
            ["num_attention_heads"] = config.NumAttentionHeads,
            ["num_key_value_heads"] = config.Attention.KeyValueHeads,
            ["head_dim"] = config.HeadSize,
            ["intermediate_size"] = config.IntermediateSize,
            ["num_hidden_layers"] = config.NumHiddenLayers,
            ["max_position_embeddings"] = config.MaxPositionEmbeddings,
            ["rope_theta"] = config.RopeTheta,
            ["qk_norm"] = config.QkNorm,
            ["constraint"] = ConstraintName(config.Constraint),
            ["tie_word_embeddings"] = config.TieWordEmbeddings,
        };
        if (config.SlidingWindow is { } window)
            json["sliding_window"] = window;
        if (!config.IsCausal)
            json["is_causal"] = false;
        if (config.Masking is var (tokenId, probability))
        {
            json["mask_token_id"] = tokenId;
            json["mask_probability"] = probability;
        }

        var fields = ArchitectureRegistry.Get(config.Architecture).Fields;
        if (fields.HasFlag(ModelFields.RmsNormEps))
            json["rms_norm_eps"] = config.RmsNormEps;
        if (fields.HasFlag(ModelFields.Alpha))
            WriteScale(json, "alpha", config.Alpha);
        if (fields.HasFlag(ModelFields.LogitScale))
            WriteScale(json, "logit_scale", config.LogitScale);
        if (fields.HasFlag(ModelFields.QkScale))
            WriteScale(json, "qk_scale", config.QkScale);
        if (fields.HasFlag(ModelFields.MlpScale))
            WriteScale(json, "mlp_scale", config.MlpScale);
        if (fields.HasFlag(ModelFields.Factors))
        {
            json["nu_qkv"] = config.Factors.Qkv;
            json["nu_o"] = config.Factors.Output;
            json["nu_ug"] = config.Factors.UpGate;
            json["nu_act"] = config.Factors.Activation;
            json["nu_down"] = config.Factors.Down;
            json["nu_alpha"] = config.Factors.Residual;
        }

        return json.ToJsonString(Indented) + "\n";
    }

    /// <summary>The name of a constraint in files: <c>none</c>, <c>bounded</c> or <c>exact</c>.</summary>
    /// <param name="constraint">A constraint.</param>
    public static string ConstraintName(RowConstraint constraint) => EnumSpelling.Of(constraint);

    private static ModelConfig Read(JsonFields fields)
    {
        if (fields.Has("quantization_config"))
        {
            throw new InvalidInputException(
                $"{fields.Place}: the model is quantized (quantization_config), which is not supported; use one with "
                    + "weights in F32, F16 or BF16.");
        }

        var name = fields.RequiredString("model_type");
        if (name is "llama" or "qwen3")
        {
            throw new InvalidInputException(
                $"{fields.Place}: model_type '{name}' is a model of Hugging Face; `angpt import` makes a checkpoint of "
                    + "its directory.");
        }

        var definition = ArchitectureRegistry.Find(name) ?? throw new InvalidInputException(
            $"{fields.Place}: model_type '{Printable.Excerpt(name)}' is "
                + $"unknown{(fields.Has("architectures") ? " (a Hugging Face model of another architecture)" : "")}; "
            + $"it must be one of {string.Join(", ", ArchitectureRegistry.Names)}.");
        var hiddenSize = fields.RequiredInt("hidden_size");
        if (hiddenSize is < 1 or > 1 << 24)
            throw new InvalidInputException(
                $"{fields.Place}: hidden_size must lie between 1 and {1 << 24}, not {hiddenSize}.");
        var defaults = definition.CreateConfig(
            fields.RequiredInt("vocab_size"),
            hiddenSize,
            fields.RequiredInt("num_attention_heads"),
            fields.RequiredInt("num_hidden_layers"),
            fields.RequiredInt("max_position_embeddings"),
            fields.Int("intermediate_size"));
        var on = defaults.Factors;
        var config = defaults with
        {
            NumKeyValueHeads = fields.Int("num_key_value_heads"),
            HeadDim = fields.Int("head_dim"),
            SlidingWindow = fields.Int("sliding_window"),
            IsCausal = fields.Bool("is_causal") ?? defaults.IsCausal,
            Masking = ReadMasking(fields),
            TieWordEmbeddings = fields.Bool("tie_word_embeddings") ?? defaults.TieWordEmbeddings,
            RopeTheta = fields.Double("rope_theta") ?? defaults.RopeTheta,
            QkNorm = fields.Bool("qk_norm") ?? defaults.QkNorm,
            Constraint = ReadConstraint(fields) ?? defaults.Constraint,
            RmsNormEps = fields.Double("rms_norm_eps") ?? defaults.RmsNormEps,
            Alpha = ReadScale(fields, "alpha", defaults.Alpha),
            LogitScale = ReadScale(fields, "logit_scale", defaults.LogitScale),
            QkScale = ReadScale(fields, "qk_scale", defaults.QkScale),
            MlpScale = ReadScale(fields, "mlp_scale", defaults.MlpScale),
            Factors = new FactorSwitches(
                fields.Bool("nu_qkv") ?? on.Qkv,
                fields.Bool("nu_o") ?? on.Output,
                fields.Bool("nu_ug") ?? on.UpGate,
                fields.Bool("nu_act") ?? on.Activation,
                fields.Bool("nu_down") ?? on.Down,
                fields.Bool("nu_alpha") ?? on.Residual),
        };
        fields.RejectUnknown(Ignored, Fixed);
        return config;
    }

    private static TokenMasking? ReadMasking(JsonFields fields)
    {
        var probability = fields.Double("mask_probability") ?? TokenMasking.DefaultProbability;
        return fields.Int("mask_token_id") is { } tokenId ? new TokenMasking(tokenId, probability) : null;
    }

    private static ScaleInit ReadScale(JsonFields fields, string name, ScaleInit defaults)
        => new(fields.Double(name + "_init") ?? defaults.Init, fields.Double(name + "_scale") ?? defaults.Scale);

    private static void WriteScale(JsonObject json, string name, ScaleInit value)
    {
        json[name + "_init"] = value.Init;
        json[name + "_scale"] = value.Scale;
    }

    private static RowConstraint? ReadConstraint(JsonFields fields)
        => fields.String("constraint") is { } word
            ? EnumSpelling.Parse<RowConstraint>(word, $"{fields.Place}: constraint")
            : null;
}
