using AnTransformer.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>The token embedding table.</summary>
public sealed class TokenEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly ModelContext _context;

    /// <summary>Creates a table of zeros.</summary>
    /// <param name="vocabSize">V.</param>
    /// <param name="size">d.</param>
    /// <param name="context">Dtypes and device.</param>
    public TokenEmbedding(long vocabSize, long size, ModelContext context)
        : base(nameof(TokenEmbedding))
    {
        _context = context;
        Weight = context.Parameter(vocabSize, size);
        register_parameter("weight", Weight);
    }

    /// <summary>E, [V, d].</summary>
    public Parameter Weight { get; }

    /// <summary>Rows of E.</summary>
    /// <param name="input">Ids, int64, [...].</param>
    /// <returns>Shape [..., d].</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the table.</exception>
    public override Tensor forward(Tensor input) => _context.Operators.Embedding(input, Weight);
}
