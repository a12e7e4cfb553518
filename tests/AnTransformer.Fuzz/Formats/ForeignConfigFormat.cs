using AnTransformer.Export.Import;
using AnTransformer.Fuzz.Mutations;

namespace AnTransformer.Fuzz.Formats;

/// <summary><c>config.json</c> of Hugging Face's Llama and Qwen3 models, which imports read.</summary>
internal sealed class ForeignConfigFormat : IFormat
{
    private static readonly string[] Valid =
    [
        """
        {"architectures":["LlamaForCausalLM"],"attention_bias":false,"head_dim":64,"hidden_act":"silu","hidden_size":2048,
        "intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama","num_attention_heads":32,
        "num_hidden_layers":16,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_scaling":null,"rope_theta":500000.0,
        "tie_word_embeddings":true,"torch_dtype":"bfloat16","use_cache":true,"vocab_size":128256}
        """,
        """
        {"architectures":["Qwen3ForCausalLM"],"head_dim":128,"hidden_act":"silu","hidden_size":1024,"intermediate_size":3072,
        "layer_types":["full_attention","full_attention"],"max_position_embeddings":40960,"max_window_layers":28,"model_type":"qwen3",
        "num_attention_heads":16,"num_hidden_layers":2,"num_key_value_heads":8,"rms_norm_eps":1e-06,
        "rope_parameters":{"rope_type":"default","rope_theta":1000000.0},"sliding_window":null,"tie_word_embeddings":false,
        "use_sliding_window":false,"vocab_size":151936}
        """,
    ];

    public string Name => "foreign-config";

    public Sample Make(Random random)
    {
        var bytes = JsonMutator.Change(Seeds.Json(random.Pick(Valid)), random, random.FewChanges());
        return new Sample("config.json", random.Next(4) == 0 ? ByteMutator.Change(bytes, random, random.FewChanges()) : bytes);
    }

    public void Read(string path) => _ = ForeignConfig.Load(path);
}
