using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Layers;
using static TorchSharp.torch;

namespace AnTransformer.Generation;

/// <summary>Continues a token sequence by a model on LibTorch, on any of its devices.</summary>
/// <param name="model">The model; not modified.</param>
/// <param name="useCache">
/// Whether to keep keys and values; without, every token costs a pass over all before it.
/// </param>
public sealed class TextGenerator(LanguageModel model, bool useCache = true) : TokenGenerator
{
    /// <inheritdoc/>
    protected override ModelConfig Config => model.Config;

    /// <inheritdoc/>
    protected override IDecodingState Start() => new State(model, useCache);

    private sealed class State(LanguageModel model, bool useCache) : IDecodingState
    {
        private readonly KeyValueCache? _cache = !useCache
            ? null
            : new KeyValueCache(
                model.Config.NumHiddenLayers, model.Config.MaxPositionEmbeddings, model.Config.Attention.Span);

        public int Length => (int)(_cache?.Length ?? 0);

        public ReadOnlySpan<float> Read(ReadOnlySpan<int> ids)
        {
            using var noGrad = inference_mode();
            using var scope = NewDisposeScope();
            var unread = new long[ids.Length];
            for (var i = 0; i < unread.Length; i++)
                unread[i] = ids[i];
            var tokens = tensor(unread, device: model.Context.Device).unsqueeze(0);
            var logits = model.forward(tokens, _cache);
            return logits[0, -1].to(ScalarType.Float32).cpu().data<float>().ToArray();
        }

        public void Dispose() => _cache?.Dispose();
    }
}
