using System.Text.Json.Nodes;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Export;
using AnTransformer.Export.Import;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Cli.Tests;

public sealed class ImportTests : IDisposable
{
    private readonly Angpt _angpt = new();

    public void Dispose() => _angpt.Dispose();

    [Theory]
    [InlineData("llama", "gpt", 1)]
    [InlineData("llama", "gpt", 3)]
    [InlineData("qwen3", "gpt+", 1)]
    [InlineData("qwen3", "gpt+", 4)]
    public void Tensors_of_all_three_types_arrive_widened_exactly(string type, string architecture, int files)
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf"), type);
        foreign.Put("model.layers.0.mlp.up_proj.weight", SafetensorsDtype.F16, 20, 16);
        foreign.Put("model.norm.weight", SafetensorsDtype.F32, 16);
        // What an old version saved, and follows from the configuration.
        foreign.Put("model.layers.0.self_attn.rotary_emb.inv_freq", SafetensorsDtype.F32, 3);
        var made = Import(foreign.Save(files).Path, _angpt.In("made"));

        var config = made.Config;
        Assert.Equal((architecture, type == "qwen3"), (config.Architecture, config.QkNorm));
        Assert.Equal((40, 16, 4, 2, 6), (config.VocabSize, config.HiddenSize, config.NumAttentionHeads, config.Attention.KeyValueHeads, config.HeadSize));
        Assert.Equal((20, 2, 24), (config.IntermediateSize, config.NumHiddenLayers, config.MaxPositionEmbeddings));
        Assert.Equal((500_000, 1e-5, false), (config.RopeTheta, config.RmsNormEps, config.TieWordEmbeddings));
        Assert.Contains("no tokenizer", made.Warning, StringComparison.Ordinal);

        using var checkpoint = GraphCheckpoint.Open(_angpt.In("made"));
        Assert.Equal(foreign.Tensors.Count - 1, checkpoint.Weights.Names.Count);
        foreach (var name in checkpoint.Weights.Names)
        {
            var values = new float[checkpoint.Weights[name].ElementCount];
            checkpoint.Weights.CopyTo(name, values);
            Assert.Equal(SafetensorsDtype.F32, checkpoint.Weights[name].Dtype);
            Assert.Equal(foreign.Numbers(name).Select(BitConverter.SingleToInt32Bits), values.Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Fact]
    public void Tied_embeddings_and_the_positions_of_version_5_are_read()
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf"), "qwen3");
        foreign.Config["tie_word_embeddings"] = true;
        foreign.Config.Remove("rope_theta");
        foreign.Config["rope_parameters"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = 1e6 };
        foreign.Config["layer_types"] = new JsonArray("full_attention", "full_attention");
        foreign.Config["use_sliding_window"] = false;
        foreign.Config["sliding_window"] = 4096;
        foreign.Fill();
        var made = Import(foreign.Save(2).Path, _angpt.In("made"));
        Assert.Equal((true, 1e6), (made.Config.TieWordEmbeddings, made.Config.RopeTheta));
        using (var checkpoint = GraphCheckpoint.Open(_angpt.In("made")))
            Assert.DoesNotContain("lm_head.weight", checkpoint.Weights.Names);

        // A head that is saved all the same is the embedding, or the files contradict each other.
        foreign.Tensors["lm_head.weight"] = foreign.Tensors["model.embed_tokens.weight"];
        Import(foreign.Save().Path, _angpt.In("again"));
        Assert.Equal(File.ReadAllBytes(_angpt.In("made", "model.safetensors")), File.ReadAllBytes(_angpt.In("again", "model.safetensors")));
        foreign.Put("lm_head.weight", 40, 16);
        Refused(foreign.Save(), "lm_head.weight", "differs from the embedding", "tie_word_embeddings");
    }

    /// <summary>Llama's and Qwen3's own formulas, as an independent float64 program computed them.</summary>
    [Theory]
    [InlineData("gpt", "llama")]
    [InlineData("gpt-plus", "qwen3")]
    [InlineData("gpt-plus-grouped", "qwen3")]
    public void What_is_imported_computes_what_the_formulas_say(string fixture, string type)
    {
        var from = Path.Combine(AppContext.BaseDirectory, "fixtures", fixture);
        var foreign = new HuggingFaceDirectory(_angpt.In("hf"), type);
        var config = ModelConfigJson.Load(Path.Combine(from, "config.json"));
        foreach (var (key, value) in new (string, int)[]
        {
            ("vocab_size", config.VocabSize), ("hidden_size", config.HiddenSize), ("num_attention_heads", config.NumAttentionHeads),
            ("num_key_value_heads", config.Attention.KeyValueHeads), ("head_dim", config.HeadSize), ("num_hidden_layers", config.NumHiddenLayers),
            ("intermediate_size", config.IntermediateSize), ("max_position_embeddings", config.MaxPositionEmbeddings),
        })
        {
            foreign.Config[key] = value;
        }

        foreign.Config["rms_norm_eps"] = config.RmsNormEps;
        foreign.Config["rope_theta"] = config.RopeTheta;
        foreign.Tensors.Clear();
        using (var file = SafetensorsFile.Open(Path.Combine(from, "model.safetensors")))
        {
            foreach (var name in file.Names)
            {
                var values = new float[file[name].ElementCount];
                file.CopyTo(name, values);
                foreign.Tensors[name] = (SafetensorsDtype.F32, [.. file[name].Shape], [.. values.SelectMany(BitConverter.GetBytes)]);
            }
        }

        Import(foreign.Save(2).Path, _angpt.In("made"));
        using var expected = SafetensorsFile.Open(Path.Combine(from, "expected.safetensors"));
        using var model = ModelCheckpoint.Load(_angpt.In("made"), new ModelContext(CPU, float32, float32));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var error = (model.forward(expected.ToTensor("tokens")) - expected.ToTensor("logits", float32)).abs().max().item<float>();
        Assert.InRange(error, 0, 1e-4);
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("gpt-plus")]
    [InlineData("gpt-plus-grouped")]
    public void What_is_exported_for_Hugging_Face_comes_back_bit_for_bit(string fixture)
    {
        var from = Path.Combine(AppContext.BaseDirectory, "fixtures", fixture);
        ModelExport.Write(from, _angpt.In("hf"), ExporterRegistry.Get("hf"), ExportDtype.F32, stop: TestContext.Current.CancellationToken);
        Import(_angpt.In("hf"), _angpt.In("made"));
        Assert.Equal(
            ModelConfigJson.Write(ModelConfigJson.Load(Path.Combine(from, "config.json"))),
            ModelConfigJson.Write(ModelConfigJson.Load(_angpt.In("made", "config.json"))));
        using var before = SafetensorsFile.Open(Path.Combine(from, "model.safetensors"));
        using var after = SafetensorsFile.Open(_angpt.In("made", "model.safetensors"));
        Assert.Equal(before.Names.Order(StringComparer.Ordinal), after.Names.Order(StringComparer.Ordinal));
        foreach (var name in before.Names)
            Assert.Equal(Bits(before, name), Bits(after, name));

        static int[] Bits(SafetensorsFile file, string name)
        {
            var values = new float[file[name].ElementCount];
            file.CopyTo(name, values);
            return Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
        }
    }

    [Fact]
    public void An_imported_model_scores_evaluates_generates_and_trains_further()
    {
        _angpt.Train("--model.architecture", "gpt+", "--model.num_key_value_heads", "1", "--model.rope_theta", "50000").AssertSucceeded();
        var trained = Directory.GetDirectories(_angpt.In("run", "checkpoints")).Order(StringComparer.Ordinal).Last();
        var foreign = new HuggingFaceDirectory(_angpt.In("hf"), "qwen3");
        var config = ModelConfigJson.Load(Path.Combine(trained, "config.json"));
        foreign.Config["vocab_size"] = config.VocabSize;
        foreign.Config["hidden_size"] = 32;
        foreign.Config["max_position_embeddings"] = 32;
        foreign.Config["intermediate_size"] = 128;
        foreign.Config["num_attention_heads"] = 2;
        foreign.Config["num_key_value_heads"] = 1;
        foreign.Config["head_dim"] = 16;
        foreign.Config["rms_norm_eps"] = 1e-6;
        foreign.Config["rope_theta"] = 50_000;
        foreign.Save();
        foreach (var name in (string[])["model.safetensors", "tokenizer.json"])
            File.Copy(Path.Combine(trained, name), foreign.In(name), overwrite: true);

        var made = _angpt.Run("import", "hf", "-o", "made", "--json").AssertSucceeded();
        Assert.Equal(("gpt+", config.VocabSize), (made.Json.GetProperty("architecture").GetString(), made.Json.GetProperty("tokenizer_vocabulary_size").GetInt32()));
        Assert.DoesNotContain("warning", made.Error, StringComparison.Ordinal);
        string[] score = ["--text", "the cat sees a red ball."];
        Assert.Equal(
            _angpt.Run(["score", trained, .. score]).AssertSucceeded().Output, _angpt.Run(["score", "made", .. score]).AssertSucceeded().Output);
        string[] generate = ["--prompt", "the", "--temperature", "0", "--max-tokens", "20"];
        Assert.Equal(
            _angpt.Run(["generate", trained, .. generate]).AssertSucceeded().Output,
            _angpt.Run(["generate", "made", .. generate]).AssertSucceeded().Output);
        _angpt.Run("eval", "made", "--data", "data", "--batches", "1").AssertSucceeded();
        Assert.Contains("starting with the weights of made", TrainFurther("made", "further"), StringComparison.Ordinal);
        Assert.True(_angpt.Losses("further")[1] < _angpt.Losses()[1], "the first loss of trained weights");

        // Published models have more rows than their tokenizers have ids, for the sake of round numbers.
        foreign.Config["vocab_size"] = config.VocabSize + 5;
        using (var file = SafetensorsFile.Open(Path.Combine(trained, "model.safetensors")))
        {
            foreign.Tensors.Clear();
            foreach (var name in file.Names)
            {
                byte[] bytes = [.. file.GetBytes(name)];
                foreign.Tensors[name] = name is "lm_head.weight" or "model.embed_tokens.weight"
                    ? (SafetensorsDtype.F32, [config.VocabSize + 5, 32], [.. bytes, .. new byte[5 * 32 * sizeof(float)]])
                    : (SafetensorsDtype.F32, [.. file[name].Shape], bytes);
            }
        }

        foreign.Save();
        Import(foreign.Path, _angpt.In("padded"));
        TrainFurther("padded", "padded-run");
        _angpt.Run("train", "padded-run", "--steps", "8").AssertSucceeded();
        Assert.InRange(_angpt.Losses("padded-run")[8], 0, _angpt.Losses()[1]);

        string TrainFurther(string from, string run) => _angpt.Train(
            "--from", from, "--training.output", run, "--model.architecture", "gpt+", "--model.num_key_value_heads", "1",
            "--model.rope_theta", "50000").AssertSucceeded().Error;
    }

    [Theory]
    [InlineData("model_type", "\"mistral\"", "model_type 'mistral'", "llama or qwen3")]
    [InlineData("model_type", "\"angpt\"", "use the checkpoint as it is")]
    [InlineData("model_type", "null", "'model_type' is missing")]
    [InlineData("architectures", "[\"LlamaForSequenceClassification\"]", "architectures", "LlamaForCausalLM")]
    [InlineData("auto_map", "{\"AutoModelForCausalLM\":\"modeling.X\"}", "auto_map", "code of its own")]
    [InlineData("quantization_config", "{\"quant_method\":\"gptq\"}", "quantized")]
    [InlineData("attention_bias", "true", "attention_bias", "biases")]
    [InlineData("mlp_bias", "true", "mlp_bias", "biases")]
    [InlineData("is_causal", "false", "is_causal")]
    [InlineData("hidden_act", "\"gelu\"", "hidden_act 'gelu'", "silu")]
    [InlineData("rope_scaling", "{\"type\":\"linear\",\"factor\":2.0}", "rope_scaling", "'linear'")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8.0}", "rope_scaling", "'llama3'")]
    [InlineData("rope_parameters", "{\"rope_type\":\"yarn\"}", "rope_parameters", "'yarn'")]
    [InlineData("rope_parameters", "{\"full_attention\":{\"rope_theta\":1.0}}", "rope_parameters", "differs by layers")]
    [InlineData("rope_parameters", "{\"rope_theta\":7.0}", "rope_theta 7", "500000")]
    [InlineData("rope_parameters", "3", "rope_parameters must be an object")]
    [InlineData("partial_rotary_factor", "0.5", "partial_rotary_factor 0.5")]
    [InlineData("vocab_size", "41", "embed_tokens", "[40, 16]", "[41, 16]")]
    [InlineData("vocab_size", "0", "vocab_size must lie between 1")]
    [InlineData("vocab_size", "\"many\"", "vocab_size must be a whole number")]
    [InlineData("hidden_size", "2147483647", "hidden_size must lie between 1")]
    [InlineData("num_hidden_layers", "2147483647", "num_hidden_layers must lie between 1")]
    [InlineData("num_hidden_layers", "65000", "model.layers.2.input_layernorm.weight", "missing")]
    [InlineData("num_hidden_layers", "1", "model.layers.1.", "not part of the model")]
    [InlineData("num_attention_heads", "16777216", "num_attention_heads", "exceeds")]
    [InlineData("num_key_value_heads", "3", "num_key_value_heads 3")]
    [InlineData("head_dim", "8", "q_proj", "[24, 16]", "[32, 16]")]
    [InlineData("head_dim", "5", "head_dim 5 is odd")]
    [InlineData("head_dim", "null", "q_proj", "[16, 16]")]
    [InlineData("rms_norm_eps", "0", "rms_norm_eps must be a positive number")]
    [InlineData("rms_norm_eps", "1e999", "rms_norm_eps")]
    [InlineData("rope_theta", "-1", "rope_theta must be a positive number")]
    [InlineData("tie_word_embeddings", "true", "lm_head.weight", "differs from the embedding")]
    [InlineData("tie_word_embeddings", "\"yes\"", "tie_word_embeddings must be true or false")]
    public void What_is_not_supported_is_refused(string key, string value, params string[] fragments)
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf")).Save();
        foreign.Config[key] = JsonNode.Parse(value);
        File.WriteAllText(foreign.In("config.json"), foreign.Config.ToJsonString());
        Refused(foreign, ["hf", .. fragments]);
    }

    [Theory]
    [InlineData("use_sliding_window", "true", "\"max_window_layers\":1,\"sliding_window\":8", "use_sliding_window")]
    [InlineData("layer_types", "[\"full_attention\",\"sliding_attention\"]", "\"sliding_window\":8", "layer_types")]
    [InlineData("rope_theta", "null", "\"x\":1", "'rope_theta' is missing")]
    public void Windows_and_unknown_positions_of_Qwen3_are_refused(string key, string value, string more, string fragment)
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf"), "qwen3").Save();
        foreign.Config[key] = JsonNode.Parse(value);
        File.WriteAllText(foreign.In("config.json"), foreign.Config.ToJsonString().Insert(1, more + ","));
        Refused(foreign, fragment);
    }

    [Theory]
    [InlineData("../outside.safetensors", "must be a .safetensors file of the directory")]
    [InlineData("..\\\\outside.safetensors", "must be a .safetensors file of the directory")]
    [InlineData("/etc/passwd", "must be a .safetensors file of the directory")]
    [InlineData("C:x.safetensors", "must be a .safetensors file of the directory")]
    [InlineData("sub/x.safetensors", "must be a .safetensors file of the directory")]
    [InlineData(".hidden.safetensors", "must be a .safetensors file of the directory")]
    [InlineData("config.json", "must be a .safetensors file of the directory")]
    [InlineData("absent.safetensors", "which is not in the directory")]
    public void An_index_that_points_elsewhere_is_refused(string file, string fragment)
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf")).Save(2);
        foreign.WriteWeights(Path.Combine("..", "outside.safetensors"), ["model.norm.weight"]);
        var map = foreign.ReadIndex();
        map["model.norm.weight"] = JsonNode.Parse($"\"{file}\"");
        foreign.WriteIndex(map);
        Refused(foreign, "index.json", fragment);
    }

    [Fact]
    public void Links_are_followed_as_a_cache_has_them_and_no_further()
    {
        // snapshots/REVISION holds links to ../../blobs.
        var foreign = new HuggingFaceDirectory(_angpt.In("cache", "snapshots", "0a1b")).Save(2);
        var blobs = Directory.CreateDirectory(_angpt.In("cache", "blobs")).FullName;
        foreach (var file in Directory.GetFiles(foreign.Path))
        {
            File.Move(file, Path.Combine(blobs, Path.GetFileName(file)));
            File.CreateSymbolicLink(file, Path.Combine("..", "..", "blobs", Path.GetFileName(file)));
        }

        Import(foreign.Path, _angpt.In("made"));
        Directory.Delete(_angpt.In("made"), recursive: true);

        var shard = foreign.In("model-00001-of-00002.safetensors");
        File.Move(Path.Combine(blobs, Path.GetFileName(shard)), _angpt.In("elsewhere.safetensors"));
        File.Delete(shard);
        File.CreateSymbolicLink(shard, _angpt.In("elsewhere.safetensors"));
        Refused(foreign, "00001-of-00002.safetensors", "link to a place outside");
        File.Delete(shard);
        File.CreateSymbolicLink(shard, shard);
        Refused(foreign, "00001-of-00002.safetensors");
    }

    [Fact]
    public void Damaged_weights_are_refused_before_anything_is_written()
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf")).Save(2);
        var (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
        var index = foreign.ReadIndex();

        // In two files, in none, in a file only, twice in the list.
        foreign.WriteWeights(second, [.. index.Where(item => (string)item.Value! == second).Select(item => item.Key), "model.embed_tokens.weight"]);
        Refused(foreign, second, "model.embed_tokens.weight", "has in another file");
        foreign.Save(2);
        var map = index.DeepClone().AsObject();
        map.Remove("model.norm.weight");
        foreign.WriteIndex(map);
        Refused(foreign, "model.norm.weight", "does not list");
        map = index.DeepClone().AsObject();
        map["model.extra.weight"] = first;
        foreign.WriteIndex(map);
        Refused(foreign, "index.json", "model.extra.weight", "does not hold it");
        foreign.Tensors.Remove("model.layers.1.mlp.up_proj.weight");
        foreign.Save(2);
        Refused(foreign, "model.layers.1.mlp.up_proj.weight", "missing");
        foreign.Fill();
        foreign.Put("model.layers.0.self_attn.q_proj.bias", 24);
        Refused(foreign.Save(2), "q_proj.bias", "not part of the model");
        foreign.Fill();
        foreign.Put("model.norm.weight", SafetensorsDtype.F64, 16);
        Refused(foreign.Save(2), "model.norm.weight", "F64");
        foreign.Put("model.norm.weight", SafetensorsDtype.I8, 16);
        Refused(foreign.Save(2), "model.norm.weight", "I8");
        foreign.Fill();
        BitConverter.TryWriteBytes(foreign.Tensors["model.norm.weight"].Data, (ushort)0x7F80);
        Refused(foreign.Save(2), "model.norm.weight", "infinite");
        foreign.Fill();
        foreign.Save(2);
        using (var stream = File.OpenWrite(foreign.In(second)))
            stream.SetLength(stream.Length - 1);
        Refused(foreign, second, "truncated");
        File.WriteAllText(foreign.In("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"x.safetensors\"}}");
        Refused(foreign, "index.json", "listed twice");
        foreach (var damaged in (string[])["", "[]", "{\"weight_map\":[]}", "{\"weight_map\":{\"\\ud800\":\"x.safetensors\"}}"])
        {
            File.WriteAllText(foreign.In("model.safetensors.index.json"), damaged);
            Refused(foreign, "index.json");
        }

        File.Delete(foreign.In("model.safetensors.index.json"));
        Refused(foreign, "one of several files");
        File.Delete(foreign.In("config.json"));
        Refused(foreign, "config.json");
    }

    [Fact]
    public void A_tokenizer_that_cannot_be_used_is_a_warning()
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf")).Save();
        File.WriteAllBytes(foreign.In("tokenizer.model"), [0x0A, 0x0E, 0x0A, 0x05, .. "<unk>"u8, 0, 0, 0, 0, 0, 0, 0]);
        var made = _angpt.Run("import", "hf", "-o", "made").AssertSucceeded();
        Assert.Contains("warning: the checkpoint has no tokenizer", made.Error, StringComparison.Ordinal);
        Assert.Contains("SentencePiece", made.Error, StringComparison.Ordinal);
        Assert.Contains("tokenizer   none", made.Output, StringComparison.Ordinal);
        _angpt.Run("score", "made", "--tokens", "1,2,3").AssertSucceeded();
        _angpt.Run("import", "hf", "-o", "made").AssertRejected("'made' exists");
        _angpt.Run("import", "nowhere", "-o", "x").AssertRejected("nowhere", "no such directory");
        _angpt.Run("score", "hf", "--tokens", "1").AssertRejected("angpt import");
        // 257 ids for a model of 40.
        _angpt.Run("prepare", "corpus.txt", "--tokenizer", "bytes", "-o", "bytes").AssertSucceeded();
        File.Copy(_angpt.In("bytes", "tokenizer.json"), foreign.In("tokenizer.json"));
        Assert.Contains("257 ids", Import(foreign.Path, _angpt.In("other")).Warning, StringComparison.Ordinal);
        Assert.False(File.Exists(_angpt.In("other", "tokenizer.json")));
    }

    [Fact]
    public void An_import_that_is_stopped_leaves_nothing()
    {
        var foreign = new HuggingFaceDirectory(_angpt.In("hf")).Save();
        Assert.Throws<OperationCanceledException>(() => CheckpointImport.Run(foreign.Path, _angpt.In("made"), new CancellationToken(canceled: true)));
        Assert.Empty(Directory.GetFileSystemEntries(_angpt.Folder, "*made*"));
    }

    private static ImportedCheckpoint Import(string directory, string output)
        => CheckpointImport.Run(directory, output, TestContext.Current.CancellationToken);

    private void Refused(HuggingFaceDirectory foreign, params string[] fragments)
    {
        var error = Assert.Throws<InvalidInputException>(() => Import(foreign.Path, _angpt.In("refused")));
        foreach (var fragment in fragments)
            Assert.Contains(fragment, error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_angpt.Folder, "*refused*"));
    }
}
