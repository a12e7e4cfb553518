namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// Whose matrix products run, by class of shape: our own (<see cref="BlockedGemm"/>, and attention by its tiles) or
/// those of LibTorch's BLAS.
/// </summary>
/// <param name="OwnClasses">A bit for each class of <see cref="ClassNames"/> that our own computes.</param>
internal readonly record struct ProductChoice(int OwnClasses)
{
    /// <summary>The class of attention's heads, which is no product of <see cref="Gemm"/>.</summary>
    public const int Attention = 6;

    private const int Classes = 7;

    // Multiplications of a product: those of a step of d = 64 have fewer, of one of d = 256 more.
    private const double Large = 1 << 28;

    /// <summary>All products are our own.</summary>
    public static ProductChoice Own { get; } = new((1 << Classes) - 1);

    /// <summary>All products are the BLAS's.</summary>
    public static ProductChoice Blas { get; } = new(0);

    /// <summary>What the classes are called, in the order of their bits.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
    [
        "small A Bᵀ", "large A Bᵀ", "small A B", "large A B", "small Aᵀ B", "large Aᵀ B", "attention",
    ];

    /// <summary>The class of a product C [m, n] ← op(A) op(B) with sums of k.</summary>
    public static int ClassOf(bool transposeA, bool transposeB, long m, long n, long k)
        => (transposeA ? 4 : transposeB ? 0 : 2) + ((double)m * n * k >= Large ? 1 : 0);

    /// <summary>Whether our own computes a class.</summary>
    public bool IsOwn(int productClass) => (OwnClasses >> productClass & 1) != 0;

    /// <summary>
    /// <c>own</c>, the BLAS's name, or where both run which of them computes each class: <c>own+mkl:1101111</c>.
    /// </summary>
    /// <param name="blas">The BLAS's name.</param>
    public string Describe(string blas)
    {
        if (this == Own)
            return "own";
        if (this == Blas)
            return blas;
        var choice = this;
        return $"own+{blas}:{string.Concat(Enumerable.Range(0, Classes).Select(i => choice.IsOwn(i) ? '1' : '0'))}";
    }
}
