using AnTransformer.Configuration;

namespace AnTransformer.Graphs;

/// <summary>
/// What a trained model computes, as data: everything but the matrices, which stay in their file. Folding rewrites it,
/// export writes it down in other programs' terms, and the inference engine runs it; none of them knows an architecture
/// by name.
/// </summary>
/// <param name="Config">Sizes, the shape of attention, the base of the rotary positions.</param>
/// <param name="Embedding">E, [V, d]; its factor scales the stream that the first block reads.</param>
/// <param name="Blocks">The blocks in order.</param>
/// <param name="HeadInput">What the head is applied to, of the stream after the last block.</param>
/// <param name="Head">[V, d]; tied heads name the embedding's tensor.</param>
public sealed record DecoderGraph(
    ModelConfig Config,
    ScaledMatrix Embedding,
    IReadOnlyList<BlockGraph> Blocks,
    InputFunction HeadInput,
    ScaledMatrix Head)
{
    /// <summary>All matrices, in the order in which they are used; a tied one twice.</summary>
    public IEnumerable<ScaledMatrix> Matrices()
    {
        yield return Embedding;
        foreach (var (attention, mlp) in Blocks)
        {
            foreach (var matrix in (ScaledMatrix[])[attention.Query, attention.Key, attention.Value, attention.Output])
                yield return matrix;
            foreach (var matrix in (ScaledMatrix[])[mlp.Gate, mlp.Up, mlp.Down])
                yield return matrix;
        }

        yield return Head;
    }
}

/// <summary>One block: attention, then the gated MLP.</summary>
/// <param name="Attention">The first half.</param>
/// <param name="Mlp">The second half.</param>
public sealed record BlockGraph(AttentionGraph Attention, MlpGraph Mlp);

/// <summary>h ← update(h, W_o · softmax(scale · q kᵀ) v), with q, k, v from f(h).</summary>
/// <param name="Input">f.</param>
/// <param name="Query">W_q, [H·d_h, d].</param>
/// <param name="Key">W_k, [K·d_h, d].</param>
/// <param name="Value">W_v, [K·d_h, d].</param>
/// <param name="QueryKey">What queries and keys go through.</param>
/// <param name="SoftmaxScale">The softmax's scale.</param>
/// <param name="Output">W_o, [d, H·d_h].</param>
/// <param name="Update">How the result joins the stream.</param>
public sealed record AttentionGraph(
    InputFunction Input,
    ScaledMatrix Query,
    ScaledMatrix Key,
    ScaledMatrix Value,
    QueryKeyFunction QueryKey,
    double SoftmaxScale,
    ScaledMatrix Output,
    ResidualUpdate Update);

/// <summary>h ← update(h, W_d · (W_u x ⊙ SiLU(W_g x))), x = f(h).</summary>
/// <param name="Input">f.</param>
/// <param name="Gate">W_g, [f, d].</param>
/// <param name="Up">W_u, [f, d].</param>
/// <param name="Down">W_d, [d, f].</param>
/// <param name="Update">How the result joins the stream.</param>
public sealed record MlpGraph(
    InputFunction Input, ScaledMatrix Gate, ScaledMatrix Up, ScaledMatrix Down, ResidualUpdate Update);
