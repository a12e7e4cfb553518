using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// A matrix product of our own for processors on which LibTorch's BLAS is not at its best: MKL leaves about a fifth of the
/// multiplier's rate of AMD's processors with AVX-512 unused. B is packed into panels of 32 columns that all threads share, each
/// thread packs blocks of A's rows, and <see cref="GemmTile"/> does the rest. Sums are in one order, whatever the number of threads.
/// </summary>
internal static unsafe class BlockedGemm
{
    private const int Depth = 256;              // of a panel: 32 KiB of B
    private const int PaddedDepth = 272;        // rows of A's panel must not share cache sets
    private const int RowsOfBlock = 256;        // A's block stays in the second-level cache
    private const int PanelsAtOnce = 4;         // of B, to pack

    /// <summary>Whether this processor is one that gains.</summary>
    public static bool IsPreferred { get; } = Vector512.IsHardwareAccelerated && X86Base.IsSupported && IsAmd();

    /// <summary>C ← α·op(A)·op(B) + β·C on row-major memory.</summary>
    public static void Multiply(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb, float beta,
        float* c, long ldc)
    {
        if (beta is not (0 or 1))
            throw new ArgumentOutOfRangeException(nameof(beta), beta, "β must be 0 or 1.");
        var panels = (int)((n + GemmTile.Columns - 1) / GemmTile.Columns);
        var rows = RowsPerBlock(m);
        var blocks = (int)((m + rows - 1) / rows);
        var depths = (int)((k + Depth - 1) / Depth);
        var groups = (panels + PanelsAtOnce - 1) / PanelsAtOnce;
        using var packed = BufferPool.Rent((long)panels * GemmTile.Columns * k);
        var panelMemory = packed.Pointer;
        CpuTeam.Run(depths * groups, task =>
        {
            var (part, group) = Math.DivRem(task, groups);
            var start = part * (long)Depth;
            var depth = (int)Math.Min(Depth, k - start);
            var panelsOfPart = panelMemory + (start * panels * GemmTile.Columns);
            for (var panel = group * PanelsAtOnce; panel < Math.Min(panels, (group + 1) * PanelsAtOnce); panel++)
            {
                var column = panel * (long)GemmTile.Columns;
                var target = panelsOfPart + (column * depth);
                var columns = (int)Math.Min(GemmTile.Columns, n - column);
                if (transposeB)
                    GemmPanel.PackTransposed(b + (column * ldb) + start, ldb, columns, depth, target);
                else
                    GemmPanel.Pack(b + (start * ldb) + column, ldb, columns, depth, target);
            }
        });
        CpuTeam.Run(blocks, block =>
        {
            var row = block * (long)rows;
            var count = (int)Math.Min(rows, m - row);
            using var panelsOfA = BufferPool.Rent((long)rows * PaddedDepth);
            for (long start = 0; start < k; start += Depth)
            {
                // The block's part of C stays in the second-level cache from one part of the depth to the next.
                var (depth, add) = ((int)Math.Min(Depth, k - start), start > 0 || beta == 1);
                var panelsOfB = panelMemory + (start * panels * GemmTile.Columns);
                var partOfA = transposeA ? a + (start * lda) + row : a + (row * lda) + start;
                MultiplyBlock(transposeA, partOfA, lda, count, panelsOfA.Pointer, panelsOfB, n, depth, alpha, c + (row * ldc), ldc, add);
            }
        });
    }

    private static int RowsPerBlock(long m)
    {
        // Every thread should have some blocks, and a block whole tiles.
        var share = (m + (2 * CpuTeam.Threads) - 1) / (2 * CpuTeam.Threads);
        return (int)Math.Clamp((share + GemmTile.Rows - 1) / GemmTile.Rows * GemmTile.Rows, GemmTile.Rows, RowsOfBlock);
    }

    private static void MultiplyBlock(
        bool transpose, float* a, long lda, int rows, float* packed, float* panels, long n, int depth, float alpha, float* c, long ldc, bool add)
    {
        var tiles = (rows + GemmTile.Rows - 1) / GemmTile.Rows;
        for (var tile = 0; tile < tiles; tile++)
        {
            var count = Math.Min(GemmTile.Rows, rows - (tile * GemmTile.Rows));
            var panel = packed + ((long)tile * GemmTile.Rows * PaddedDepth);
            if (transpose)
                PackColumns(a + (tile * GemmTile.Rows), lda, count, depth, panel);
            else
                PackRows(a + (tile * GemmTile.Rows * lda), lda, count, depth, panel);
        }

        var (rowStep, depthStep) = transpose ? (1L, (long)GemmTile.Rows) : (PaddedDepth, 1L);
        for (long column = 0; column < n; column += GemmTile.Columns)
        {
            var b = panels + (column * depth);
            for (var tile = 0; tile < tiles; tile++)
            {
                var panel = packed + ((long)tile * GemmTile.Rows * PaddedDepth);
                var (height, width) = (Math.Min(GemmTile.Rows, rows - (tile * GemmTile.Rows)), (int)Math.Min(GemmTile.Columns, n - column));
                var target = c + (tile * GemmTile.Rows * ldc) + column;
                GemmTile.MultiplyPart(depth, panel, rowStep, depthStep, b, target, ldc, alpha, add, height, width);
            }
        }
    }

    /// <summary>Eight rows of A, one after the other with padding.</summary>
    private static void PackRows(float* a, long lda, int rows, int depth, float* panel)
    {
        for (var row = 0; row < GemmTile.Rows; row++, panel += PaddedDepth)
        {
            if (row < rows)
                new ReadOnlySpan<float>(a + (row * lda), depth).CopyTo(new Span<float>(panel, depth));
            else
                new Span<float>(panel, depth).Clear();
        }
    }

    /// <summary>Eight columns of a matrix that is stored transposed, element by element along the depth.</summary>
    private static void PackColumns(float* a, long lda, int columns, int depth, float* panel)
    {
        if (columns == GemmTile.Rows)
        {
            for (var step = 0; step < depth; step++, a += lda, panel += GemmTile.Rows)
                Vector256.Load(a).Store(panel);
            return;
        }

        for (var step = 0; step < depth; step++, a += lda, panel += GemmTile.Rows)
        {
            for (var i = 0; i < GemmTile.Rows; i++)
                panel[i] = i < columns ? a[i] : 0;
        }
    }

    private static bool IsAmd()
    {
        // "AuthenticAMD" in EBX, EDX, ECX.
        var (_, ebx, ecx, edx) = X86Base.CpuId(0, 0);
        return (ebx, edx, ecx) == (0x68747541, 0x69746E65, 0x444D4163);
    }
}
