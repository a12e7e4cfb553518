using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;

namespace AnTransformer.Export.Import;

/// <summary>
/// Makes a checkpoint from a Llama or Qwen3 model as Hugging Face has it: these are <c>gpt</c> and <c>gpt+</c> with the
/// same tensors under the same names, so that nothing is computed but F16 and BF16 widened, which is exact. Needs no
/// LibTorch.
/// </summary>
public static class CheckpointImport
{
    // Buffers that old versions of transformers saved; they follow from rope_theta.
    private const string OldBuffer = ".self_attn.rotary_emb.inv_freq";

    private const string HeadName = "lm_head.weight";
    private const string EmbeddingName = "model.embed_tokens.weight";

    /// <summary>Reads a directory and writes a checkpoint, whole or not at all.</summary>
    /// <param name="directory">
    /// <c>config.json</c>, <c>model.safetensors</c> or several files with <c>model.safetensors.index.json</c>, and
    /// where there is one a tokenizer.
    /// </param>
    /// <param name="output">The checkpoint's directory, which must not exist or be empty.</param>
    /// <param name="stop">Ends the import; nothing is written.</param>
    /// <exception cref="InvalidInputException">
    /// A file is missing or malformed, the model is one that no architecture here computes, or the checkpoint cannot be
    /// written.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static ImportedCheckpoint Run(string directory, string output, CancellationToken stop = default)
    {
        if (!Directory.Exists(directory))
        {
            throw new InvalidInputException(
                $"{directory}: no such directory; give one with {ModelCheckpoint.ConfigFile} and the weights of a "
                + "Llama or Qwen3 model.");
        }

        var configFile = ForeignDirectory.Find(directory, ModelCheckpoint.ConfigFile)
            ?? throw new InvalidInputException($"{directory}: has no {ModelCheckpoint.ConfigFile}; fetch it, too.");
        var config = ForeignConfig.Load(configFile);
        using var weights = ForeignWeights.Open(directory);
        CheckTensors(weights, config, stop);
        var (tokenizer, warning) = ForeignTokenizer.Load(directory, config.VocabSize);
        AtomicDirectory.Write(output, staging =>
        {
            File.WriteAllText(Path.Combine(staging, ModelCheckpoint.ConfigFile), ModelConfigJson.Write(config));
            using (var stream = File.Create(Path.Combine(staging, ModelCheckpoint.WeightsFile)))
                Write(weights, config, stream, stop);
            if (tokenizer is not null)
                ForeignTokenizer.Copy(tokenizer, directory, staging);
        });
        return new ImportedCheckpoint(output, config, tokenizer, warning);
    }

    /// <summary>The tensors of <c>gpt</c> and <c>gpt+</c>, which are those of Llama and Qwen3.</summary>
    private static IEnumerable<(string Name, long[] Shape)> Tensors(ModelConfig config)
    {
        var (d, f, attention) = (config.HiddenSize, config.IntermediateSize, config.Attention);
        yield return (EmbeddingName, [config.VocabSize, d]);
        for (var layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            var block = FormattableString.Invariant($"model.layers.{layer}.");
            yield return (block + "input_layernorm.weight", [d]);
            yield return (block + "self_attn.q_proj.weight", [attention.QueryWidth, d]);
            yield return (block + "self_attn.k_proj.weight", [attention.KeyValueWidth, d]);
            yield return (block + "self_attn.v_proj.weight", [attention.KeyValueWidth, d]);
            yield return (block + "self_attn.o_proj.weight", [d, attention.QueryWidth]);
            if (config.QkNorm)
            {
                yield return (block + "self_attn.q_norm.weight", [attention.HeadSize]);
                yield return (block + "self_attn.k_norm.weight", [attention.HeadSize]);
            }

            yield return (block + "post_attention_layernorm.weight", [d]);
            yield return (block + "mlp.gate_proj.weight", [f, d]);
            yield return (block + "mlp.up_proj.weight", [f, d]);
            yield return (block + "mlp.down_proj.weight", [d, f]);
        }

        yield return ("model.norm.weight", [d]);
        if (!config.TieWordEmbeddings)
            yield return (HeadName, [config.VocabSize, d]);
    }

    private static void CheckTensors(ForeignWeights weights, ModelConfig config, CancellationToken stop)
    {
        var unread = weights.Names.ToHashSet(StringComparer.Ordinal);
        foreach (var (name, shape) in Tensors(config))
        {
            if (weights.FileOf(name) is not { } file)
            {
                throw new InvalidInputException(
                    $"{weights.Place}: tensor '{name}' is missing, but the model of {ModelCheckpoint.ConfigFile} has "
                    + "it; "
                    + (name == HeadName
                        ? "if the model shares the embedding's, set tie_word_embeddings to true."
                        : "fetch all files of one version."));
            }

            stop.ThrowIfCancellationRequested();
            CheckTensor(file, name, shape);
            unread.Remove(name);
        }

        if (config.TieWordEmbeddings && unread.Remove(HeadName))
            RequireEmbedding(weights, [config.VocabSize, config.HiddenSize]);
        unread.RemoveWhere(name => name.EndsWith(OldBuffer, StringComparison.Ordinal));
        if (unread.Count > 0)
        {
            var name = unread.Order(StringComparer.Ordinal).First();
            throw new InvalidInputException(
                $"{weights.FileOf(name)!.Path}: tensor '{Printable.Excerpt(name)}' is not part of the model of "
                + $"{ModelCheckpoint.ConfigFile}, "
                + "and leaving it out might change what the model computes; choose a model without it.");
        }
    }

    private static void CheckTensor(SafetensorsFile file, string name, long[] shape)
    {
        var entry = file[name];
        if (!entry.Shape.SequenceEqual(shape))
        {
            throw new InvalidInputException(
                $"{file.Path}: tensor '{name}' has shape [{string.Join(", ", entry.Shape)}], but the model of "
                + $"{ModelCheckpoint.ConfigFile} "
                + $"needs [{string.Join(", ", shape)}]; the file and the configuration do not belong together.");
        }

        if (entry.Dtype is not (SafetensorsDtype.F32 or SafetensorsDtype.F16 or SafetensorsDtype.BF16))
        {
            throw new InvalidInputException(
                $"{file.Path}: tensor '{name}' is {entry.Dtype}, which is not supported; convert the model to F32, F16 "
                + "or BF16.");
        }

        if (file.ContainsNonFinite(name))
            throw new InvalidInputException(
                $"{file.Path}: tensor '{name}' holds NaN or infinite values; fetch the file anew.");
    }

    /// <summary>
    /// A tied head that is there all the same must be the embedding, or the files contradict each other.
    /// </summary>
    private static void RequireEmbedding(ForeignWeights weights, long[] shape)
    {
        var (head, embedding) = (weights.FileOf(HeadName)!, weights.FileOf(EmbeddingName)!);
        CheckTensor(head, HeadName, shape);
        using var first = head.OpenStream(HeadName);
        using var second = embedding.OpenStream(EmbeddingName);
        if (head[HeadName].Dtype == embedding[EmbeddingName].Dtype && AreEqual(first, second))
            return;
        throw new InvalidInputException(
            $"{head.Path}: tensor '{HeadName}' differs from the embedding, but tie_word_embeddings is true in "
            + $"{ModelCheckpoint.ConfigFile}; "
            + "set it to false if the model has a head of its own.");
    }

    private static bool AreEqual(Stream first, Stream second)
    {
        var (one, other) = (new byte[1 << 16], new byte[1 << 16]);
        while (true)
        {
            var count = first.ReadAtLeast(one, one.Length, throwOnEndOfStream: false);
            if (second.ReadAtLeast(other, other.Length, throwOnEndOfStream: false) != count
                || !one.AsSpan(0, count).SequenceEqual(other.AsSpan(0, count)))
            {
                return false;
            }

            if (count < one.Length)
                return true;
        }
    }

    private static void Write(ForeignWeights weights, ModelConfig config, Stream stream, CancellationToken stop)
    {
        var writer = new SafetensorsWriter(
            stream,
            Tensors(config).Select(tensor => (tensor.Name, SafetensorsDtype.F32, (IReadOnlyList<long>)tensor.Shape)));
        foreach (var (name, _) in Tensors(config))
        {
            SingleElements.Read(weights.FileOf(name)!, name, piece =>
            {
                stop.ThrowIfCancellationRequested();
                writer.Write(name, piece);
            });
        }

        writer.Complete();
    }
}
