using AnTransformer.Checkpoints;
using AnTransformer.Export.Safetensors;
using AnTransformer.Export.Standard;

namespace AnTransformer.Export.HuggingFace;

/// <summary>Llama or Qwen3 models in the layout of Hugging Face transformers.</summary>
internal sealed class HuggingFaceExporter : IExporter
{
    public string Format => "hf";

    public string Summary => "Hugging Face transformers, vLLM and others";

    public IReadOnlyList<ExportDtype> Dtypes => [ExportDtype.F32, ExportDtype.F16, ExportDtype.BF16];

    public bool HasShards => true;

    public ExportReport Write(ExportSource source, ExportOptions options, string directory)
    {
        var model = StandardModelBuilder.Build(source, options.Dtype);
        var notes = StandardNotes.Of(model, options.Dtype).ToList();
        HuggingFaceConfig.Write(
            Path.Combine(directory, ModelCheckpoint.ConfigFile), model, options.Dtype, source.Tokenizer?.EndOfTextId);
        HuggingFaceTokenizer.Write(directory, source.Tokenizer, model.Config.MaxPositionEmbeddings);
        WeightShards.Write(directory, source.Rows, [.. Tensors(model)], options.Dtype, options.MaxShardBytes);
        return new ExportReport(HuggingFaceConfig.ClassOf(model))
        {
            Notes = notes,
            Usage = Usage(source, options.Dtype),
        };
    }

    private static IEnumerable<TensorSource> Tensors(StandardModel model)
    {
        yield return new TensorSource("model.embed_tokens.weight", model.Embedding);
        for (var layer = 0; layer < model.Blocks.Count; layer++)
        {
            var (block, prefix) = (model.Blocks[layer], Graphs.GraphParameters.Block(layer));
            yield return new TensorSource(prefix + "input_layernorm.weight", null, block.AttentionNorm);
            yield return new TensorSource(prefix + "self_attn.q_proj.weight", block.Query);
            yield return new TensorSource(prefix + "self_attn.k_proj.weight", block.Key);
            yield return new TensorSource(prefix + "self_attn.v_proj.weight", block.Value);
            yield return new TensorSource(prefix + "self_attn.o_proj.weight", block.Output);
            if (block.QueryNorm is not null)
            {
                yield return new TensorSource(prefix + "self_attn.q_norm.weight", null, block.QueryNorm);
                yield return new TensorSource(prefix + "self_attn.k_norm.weight", null, block.KeyNorm);
            }

            yield return new TensorSource(prefix + "post_attention_layernorm.weight", null, block.MlpNorm);
            yield return new TensorSource(prefix + "mlp.gate_proj.weight", block.Gate);
            yield return new TensorSource(prefix + "mlp.up_proj.weight", block.Up);
            yield return new TensorSource(prefix + "mlp.down_proj.weight", block.Down);
        }

        yield return new TensorSource("model.norm.weight", null, model.FinalNorm);
        if (model.Head is { } head)
            yield return new TensorSource("lm_head.weight", head);
    }

    private static string Usage(ExportSource source, ExportDtype dtype)
    {
        var type = dtype switch
        {
            ExportDtype.F16 => "float16",
            ExportDtype.BF16 => "bfloat16",
            _ => "float32",
        };
        var load = $"""
            ```python
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer

            model = AutoModelForCausalLM.from_pretrained(".", dtype=torch.{type})  # transformers 4: torch_dtype=

            """;
        return load + (source.Tokenizer is null
            ? """
            logits = model(torch.tensor([[1, 2, 3]])).logits  # no tokenizer: token ids only
            ```

            """
            : """
            tokenizer = AutoTokenizer.from_pretrained(".")
            inputs = tokenizer("It was", return_tensors="pt")
            print(tokenizer.decode(model.generate(**inputs, max_new_tokens=100, do_sample=True, temperature=0.8)[0]))
            ```

            It continues texts: it was not trained to chat.

            """);
    }
}
