using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>The module that checkpoints name <c>model</c>: it only gives names.</summary>
internal sealed class EagerDecoder : nn.Module
{
    public EagerDecoder(nn.Module embedTokens, IEnumerable<nn.Module> blocks)
        : base(nameof(EagerDecoder))
    {
        register_module("embed_tokens", embedTokens);
        register_module("layers", nn.ModuleList(blocks.ToArray()));
    }
}
