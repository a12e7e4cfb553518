using System.Text.Json;
using System.Text.Json.Nodes;
using AnTransformer.Checkpoints;

namespace AnTransformer.Cli.Tests;

/// <summary>A model as Hugging Face's library saves it, written from that library's conventions alone.</summary>
internal sealed class HuggingFaceDirectory
{
    public HuggingFaceDirectory(string path, string modelType = "llama")
    {
        Path = System.IO.Directory.CreateDirectory(path).FullName;
        var isQwen3 = modelType == "qwen3";
        Config = new JsonObject
        {
            ["architectures"] = new JsonArray(isQwen3 ? "Qwen3ForCausalLM" : "LlamaForCausalLM"),
            ["attention_bias"] = false,
            ["attention_dropout"] = 0.0,
            ["bos_token_id"] = 1,
            ["eos_token_id"] = 2,
            ["head_dim"] = 6,
            ["hidden_act"] = "silu",
            ["hidden_size"] = 16,
            ["initializer_range"] = 0.02,
            ["intermediate_size"] = 20,
            ["max_position_embeddings"] = 24,
            ["model_type"] = modelType,
            ["num_attention_heads"] = 4,
            ["num_hidden_layers"] = 2,
            ["num_key_value_heads"] = 2,
            ["rms_norm_eps"] = 1e-05,
            ["rope_scaling"] = null,
            ["rope_theta"] = 500000.0,
            ["tie_word_embeddings"] = false,
            ["torch_dtype"] = "bfloat16",
            ["transformers_version"] = "4.51.0",
            ["use_cache"] = true,
            ["vocab_size"] = 40,
        };
        Fill();
    }

    public string Path { get; }

    public JsonObject Config { get; }

    /// <summary>Tensors by name: type, shape, bytes.</summary>
    public Dictionary<string, (SafetensorsDtype Dtype, long[] Shape, byte[] Data)> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>Makes the tensors that the configuration asks for, of numbers that depend on their names alone.</summary>
    public void Fill()
    {
        Tensors.Clear();
        var isQwen3 = (string)Config["model_type"]! == "qwen3";
        long d = Int("hidden_size"), f = Int("intermediate_size"), v = Int("vocab_size"), head = Int("head_dim");
        long query = head * Int("num_attention_heads"), keyValue = head * Int("num_key_value_heads");
        Put("model.embed_tokens.weight", v, d);
        for (var layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            var block = $"model.layers.{layer}.";
            Put(block + "input_layernorm.weight", d);
            Put(block + "mlp.down_proj.weight", d, f);
            Put(block + "mlp.gate_proj.weight", f, d);
            Put(block + "mlp.up_proj.weight", f, d);
            Put(block + "post_attention_layernorm.weight", d);
            Put(block + "self_attn.k_proj.weight", keyValue, d);
            Put(block + "self_attn.o_proj.weight", d, query);
            Put(block + "self_attn.q_proj.weight", query, d);
            Put(block + "self_attn.v_proj.weight", keyValue, d);
            if (isQwen3)
            {
                Put(block + "self_attn.k_norm.weight", head);
                Put(block + "self_attn.q_norm.weight", head);
            }
        }

        Put("model.norm.weight", d);
        if (!(bool)Config["tie_word_embeddings"]!)
            Put("lm_head.weight", v, d);
    }

    public void Put(string name, params long[] shape) => Put(name, SafetensorsDtype.BF16, shape);

    public void Put(string name, SafetensorsDtype dtype, params long[] shape)
    {
        var random = new Random(name.Sum(letter => letter) * 31);
        var bytes = new List<byte>();
        for (var i = shape.Aggregate(1L, (product, size) => product * size); i > 0; i--)
        {
            var value = (float)(random.NextDouble() - 0.5);
            bytes.AddRange(dtype switch
            {
                SafetensorsDtype.F32 => BitConverter.GetBytes(value),
                SafetensorsDtype.F64 => BitConverter.GetBytes((double)value),
                SafetensorsDtype.F16 => BitConverter.GetBytes((Half)value),
                SafetensorsDtype.I8 => [(byte)i],
                _ => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)),
            });
        }

        Tensors[name] = (dtype, shape, [.. bytes]);
    }

    /// <summary>A tensor's numbers in single precision.</summary>
    public float[] Numbers(string name)
    {
        var (dtype, _, data) = Tensors[name];
        return dtype switch
        {
            SafetensorsDtype.F32 => [.. data.Chunk(4).Select(bytes => BitConverter.ToSingle(bytes))],
            SafetensorsDtype.F16 => [.. data.Chunk(2).Select(bytes => (float)BitConverter.ToHalf(bytes))],
            _ => [.. data.Chunk(2).Select(bytes => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(bytes) << 16))],
        };
    }

    /// <summary>Writes one file of weights, or several with their index.</summary>
    /// <returns>This.</returns>
    public HuggingFaceDirectory Save(int files = 1)
    {
        File.WriteAllText(In("config.json"), Config.ToJsonString());
        if (files == 1)
        {
            WriteWeights("model.safetensors", Tensors.Keys);
            return this;
        }

        var map = new JsonObject();
        for (var i = 0; i < files; i++)
        {
            var name = $"model-{i + 1:d5}-of-{files:d5}.safetensors";
            var part = Tensors.Keys.Where((_, at) => at % files == i).ToList();
            WriteWeights(name, part);
            foreach (var tensor in part)
                map[tensor] = name;
        }

        WriteIndex(map);
        return this;
    }

    public void WriteIndex(JsonObject map) => File.WriteAllText(
        In("model.safetensors.index.json"),
        new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = 1 }, ["weight_map"] = map }.ToJsonString());

    public JsonObject ReadIndex()
        => JsonNode.Parse(File.ReadAllText(In("model.safetensors.index.json")))!["weight_map"]!.DeepClone().AsObject();

    public void WriteWeights(string file, IEnumerable<string> names)
    {
        using var stream = File.Create(In(file));
        var all = names.ToList();
        var writer = new SafetensorsWriter(
            stream, all.Select(name => (name, Tensors[name].Dtype, (IReadOnlyList<long>)Tensors[name].Shape)));
        foreach (var name in all)
            writer.Write(name, Tensors[name].Data.AsSpan());
        writer.Complete();
    }

    public string In(string name) => System.IO.Path.Combine(Path, name);

    private long Int(string key) => Config[key]!.GetValueKind() == JsonValueKind.Number ? Config[key]!.GetValue<int>() : 0;
}
