using AnTransformer.Export.Standard;

namespace AnTransformer.Export.Gguf;

/// <summary>Llama or Qwen3 models as GGUF files, which llama.cpp and what is built on it read.</summary>
internal sealed class GgufExporter : IExporter
{
    // llama.h, llama_ftype.
    private static readonly Dictionary<ExportDtype, uint> FileTypes = new()
    {
        [ExportDtype.F32] = 0,
        [ExportDtype.F16] = 1,
        [ExportDtype.Q8] = 7,
        [ExportDtype.BF16] = 32,
    };

    public string Format => "gguf";

    public string Summary => "llama.cpp, LLamaSharp, Ollama, LM Studio";

    public IReadOnlyList<ExportDtype> Dtypes => [ExportDtype.F32, ExportDtype.F16, ExportDtype.BF16, ExportDtype.Q8];

    public ExportReport Write(ExportSource source, ExportOptions options, string directory)
    {
        var model = StandardModelBuilder.Build(source, options.Dtype);
        var notes = new List<string>(StandardNotes.Of(model, options.Dtype));
        using var metadata = new GgufMetadata();
        Describe(metadata, model, source.Name, options.Dtype);
        notes.AddRange(GgufTokenizer.Add(metadata, source.Tokenizer, model.Config.VocabSize));
        var file = $"{source.Name}-{options.Dtype.Name()}.gguf";
        GgufFile.Write(Path.Combine(directory, file), metadata, [.. Tensors(model)], source.Rows, options.Dtype);
        return new ExportReport($"GGUF of architecture {Architecture(model)}")
        {
            Notes = notes,
            Usage = Usage(file, source.Tokenizer is not null),
        };
    }

    private static string Architecture(StandardModel model) => model.IsQwen3 ? "qwen3" : "llama";

    private static void Describe(GgufMetadata metadata, StandardModel model, string name, ExportDtype dtype)
    {
        var (config, architecture) = (model.Config, Architecture(model));
        metadata.Add("general.architecture", architecture);
        metadata.Add("general.type", "model");
        metadata.Add("general.name", name);
        metadata.Add("general.file_type", FileTypes[dtype]);
        if (dtype == ExportDtype.Q8)
            metadata.Add("general.quantization_version", 2u);
        metadata.Add(architecture + ".context_length", config.MaxPositionEmbeddings);
        metadata.Add(architecture + ".embedding_length", config.HiddenSize);
        metadata.Add(architecture + ".block_count", config.NumHiddenLayers);
        metadata.Add(architecture + ".feed_forward_length", config.IntermediateSize);
        metadata.Add(architecture + ".attention.head_count", config.NumAttentionHeads);
        metadata.Add(architecture + ".attention.head_count_kv", config.Attention.KeyValueHeads);
        metadata.Add(architecture + ".attention.key_length", config.HeadSize);
        metadata.Add(architecture + ".attention.value_length", config.HeadSize);
        metadata.Add(architecture + ".attention.layer_norm_rms_epsilon", (float)model.Epsilon);
        metadata.Add(architecture + ".rope.freq_base", (float)config.RopeTheta);
        metadata.Add(architecture + ".rope.dimension_count", config.HeadSize);
        metadata.Add(architecture + ".vocab_size", config.VocabSize);
    }

    private static IEnumerable<GgufTensor> Tensors(StandardModel model)
    {
        yield return new GgufTensor("token_embd.weight", model.Embedding);
        for (var layer = 0; layer < model.Blocks.Count; layer++)
        {
            var (block, prefix) = (model.Blocks[layer], FormattableString.Invariant($"blk.{layer}."));
            // llama.cpp turns neighbours in architecture llama, and halves of a head in all others.
            Func<int, int>? rowAt = model.IsQwen3 ? null : row => Neighbours(row, model.Config.HeadSize);
            yield return new GgufTensor(prefix + "attn_norm.weight", null, block.AttentionNorm);
            yield return new GgufTensor(prefix + "attn_q.weight", block.Query) { RowAt = rowAt };
            yield return new GgufTensor(prefix + "attn_k.weight", block.Key) { RowAt = rowAt };
            yield return new GgufTensor(prefix + "attn_v.weight", block.Value);
            if (block.QueryNorm is not null)
            {
                yield return new GgufTensor(prefix + "attn_q_norm.weight", null, block.QueryNorm);
                yield return new GgufTensor(prefix + "attn_k_norm.weight", null, block.KeyNorm);
            }

            yield return new GgufTensor(prefix + "attn_output.weight", block.Output);
            yield return new GgufTensor(prefix + "ffn_norm.weight", null, block.MlpNorm);
            yield return new GgufTensor(prefix + "ffn_gate.weight", block.Gate);
            yield return new GgufTensor(prefix + "ffn_up.weight", block.Up);
            yield return new GgufTensor(prefix + "ffn_down.weight", block.Down);
        }

        yield return new GgufTensor("output_norm.weight", null, model.FinalNorm);
        if (model.Head is { } head)
            yield return new GgufTensor("output.weight", head);
    }

    /// <summary>The row of a head in halves that stands at a place where pairs are neighbours.</summary>
    private static int Neighbours(int row, int headSize)
    {
        var (head, place) = Math.DivRem(row, headSize);
        return (head * headSize) + (place % 2 * (headSize / 2)) + (place / 2);
    }

    private static string Usage(string file, bool hasTokenizer) => hasTokenizer
        ? $$"""
            ```bash
            llama-cli -m {{file}} -no-cnv -p "It was" -n 100
            llama-server -m {{file}}
            ```

            In .NET with [LLamaSharp](https://www.nuget.org/packages/LLamaSharp) and LLamaSharp.Backend.Cpu:

            ```csharp
            var parameters = new ModelParams("{{file}}");
            using var weights = await LLamaWeights.LoadFromFileAsync(parameters);
            var executor = new StatelessExecutor(weights, parameters);
            await foreach (var text in executor.InferAsync("It was", new InferenceParams { MaxTokens = 100 }))
                Console.Write(text);
            ```

            It continues texts: it was not trained to chat.

            """
        : $"""
            The file has no tokenizer. With [LLamaSharp](https://www.nuget.org/packages/LLamaSharp) load `{file}` as
            `LLamaWeights`, make a context, and decode batches of token ids.

            """;
}
