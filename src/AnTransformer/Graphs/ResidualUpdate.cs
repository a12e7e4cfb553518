namespace AnTransformer.Graphs;

/// <summary>How a block's output x joins the residual stream h, both [..., d].</summary>
public abstract record ResidualUpdate
{
    private protected ResidualUpdate()
    {
    }
}

/// <summary>h + x.</summary>
public sealed record ResidualSum : ResidualUpdate;

/// <summary>h + RMSNorm(x) (Gemma 2's block).</summary>
/// <param name="Norm">Normalization of the output.</param>
public sealed record NormalizedResidualSum(RmsNormFunction Norm) : ResidualUpdate;

/// <summary>
/// keep ⊙ h + share ⊙ x: anGPT's ν(α) ⊙ (h + α ⊙ (x − h)) has keep = ν(α)(1 − α), share = ν(α) α (arXiv 2505.22014,
/// section 3).
/// </summary>
/// <param name="Keep">[d].</param>
/// <param name="Share">[d].</param>
public sealed record Interpolation(double[] Keep, double[] Share) : ResidualUpdate;

/// <summary>L2(h + α ⊙ (L2(x) − h)) (nGPT, arXiv 2410.01131).</summary>
/// <param name="Alpha">|α|, [d].</param>
public sealed record SphereUpdate(double[] Alpha) : ResidualUpdate;
