using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Models;

/// <summary>A small random model and what an independent float64 implementation computed with it.</summary>
internal sealed class Fixture : IDisposable
{
    private readonly SafetensorsFile _expected;

    public Fixture(string name, ScalarType dtype)
    {
        Directory = PathOf(name);
        Context = new ModelContext(CPU, dtype, dtype);
        Model = ModelCheckpoint.Load(Directory, Context);
        _expected = SafetensorsFile.Open(Path.Combine(Directory, "expected.safetensors"));
    }

    public static TheoryData<string> Names => new(
        "gpt", "gpt-plus", "ngpt", "angpt", "angpt-no-qk-norm", "sandwich", "dyt", "derf",
        "angpt-grouped", "gpt-plus-grouped", "ngpt-grouped", "angpt-tied", "gpt-plus-bidirectional", "angpt-window");

    public string Directory { get; }

    public ModelContext Context { get; }

    public LanguageModel Model { get; }

    public Tensor Tokens => _expected.ToTensor("tokens");

    public Tensor Targets => _expected.ToTensor("targets");

    public OptimizerSettings Adam
        => new() { WeightDecay = ArchitectureRegistry.Get(Model.Config.Architecture).Training.WeightDecay };

    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "fixtures", name);

    /// <summary>An expected tensor in the model's dtype.</summary>
    public Tensor Expected(string name) => _expected.ToTensor(name).to(Context.MasterDtype);

    /// <summary>Largest difference over the largest expected magnitude.</summary>
    public double RelativeError(Tensor actual, string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var expected = Expected(name);
        return ((actual - expected).abs().max() / expected.abs().max()).to(ScalarType.Float64).item<double>();
    }

    public void Dispose()
    {
        Model.Dispose();
        _expected.Dispose();
    }
}
