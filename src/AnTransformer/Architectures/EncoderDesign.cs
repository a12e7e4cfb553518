using AnTransformer.Layers;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>What an architecture's <see cref="Encoder"/> is made of; each architecture's file has its own.</summary>
/// <param name="CreateBlock">Makes one of the L blocks.</param>
/// <param name="InitialDeviation">
/// Standard deviation of a matrix's initial entries, by whether it writes to the residual stream (W_o, W_d).
/// </param>
/// <param name="StartsOnSphere">Whether the vectors of matrices have norm 1 at first.</param>
/// <param name="OutputVectorDimension">
/// The dimension along which the vectors of output matrices are constrained: 1, rows, but for nGPT.
/// </param>
/// <param name="CreateNorm">Makes the normalization after the last block; null for none.</param>
internal sealed record EncoderDesign(
    Func<ModelContext, TransformerBlock> CreateBlock,
    Func<bool, double> InitialDeviation,
    bool StartsOnSphere = false,
    int OutputVectorDimension = 1,
    Func<ModelContext, nn.Module<Tensor, Tensor>>? CreateNorm = null);
