using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// A matrix product of our own for processors on which LibTorch's BLAS is not at its best: MKL leaves about a fifth of
/// the multiplier's rate of AMD's processors unused. B is packed into panels of a tile's columns that all
/// threads share; A's rows are read where they are, or packed where A is transposed; <see cref="GemmTile{V}"/> does the
/// rest. Sums are in one order, whatever the number of threads.
/// </summary>
internal abstract unsafe class BlockedGemm
{
    /// <summary>The product on this processor's widest vectors.</summary>
    public static BlockedGemm Instance { get; } =
        Vector512.IsHardwareAccelerated ? new BlockedGemm<Simd512>()
        : Vector256.IsHardwareAccelerated ? new BlockedGemm<Simd256>()
        : new BlockedGemm<Simd128>();

    /// <summary>C ← α·op(A)·op(B) + β·C on row-major memory.</summary>
    public abstract void Multiply(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb,
        float beta,
        float* c, long ldc);
}

/// <summary>The product for one vector width.</summary>
/// <typeparam name="V">The vector.</typeparam>
internal sealed unsafe class BlockedGemm<V> : BlockedGemm
    where V : struct, ISimd<V>
{
    private const int Depth = 256;              // of a panel: 32 KiB of B with the widest vectors
    private const int MostRowsOfBlock = 512;    // A's block stays in the second-level cache
    private const int FloatsPerLine = 16;
    private const int SideOfSquare = 64;        // of a part to transpose, which stays in the first-level cache
    private const int PanelsAtOnce = 4;         // of B, to pack

    /// <inheritdoc/>
    public override void Multiply(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb,
        float beta,
        float* c, long ldc)
    {
        if (beta is not (0 or 1))
            throw new ArgumentOutOfRangeException(nameof(beta), beta, "β must be 0 or 1.");
        if (transposeA && !transposeB && 2 * m <= n)
        {
            MultiplyTurned(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }

        var panels = (int)((n + GemmTile<V>.Columns - 1) / GemmTile<V>.Columns);
        var rows = RowsPerBlock(m);
        var blocks = (int)((m + rows - 1) / rows);
        var depths = (int)((k + Depth - 1) / Depth);
        var groups = (panels + PanelsAtOnce - 1) / PanelsAtOnce;
        using var packed = BufferPool.Rent((long)panels * GemmTile<V>.Columns * k);
        var panelMemory = packed.Pointer;
        CpuTeam.Run(depths * groups, task =>
        {
            var (part, group) = Math.DivRem(task, groups);
            var start = part * (long)Depth;
            var depth = (int)Math.Min(Depth, k - start);
            var panelsOfPart = panelMemory + (start * panels * GemmTile<V>.Columns);
            for (var panel = group * PanelsAtOnce; panel < Math.Min(panels, (group + 1) * PanelsAtOnce); panel++)
            {
                var column = panel * (long)GemmTile<V>.Columns;
                var target = panelsOfPart + (column * depth);
                var columns = (int)Math.Min(GemmTile<V>.Columns, n - column);
                if (transposeB)
                    GemmPanel<V>.PackTransposed(b + (column * ldb) + start, ldb, columns, depth, target);
                else
                    GemmPanel<V>.Pack(b + (start * ldb) + column, ldb, columns, depth, target);
            }
        });
        CpuTeam.Run(blocks, block =>
        {
            var row = block * (long)rows;
            var count = (int)Math.Min(rows, m - row);
            using var panelsOfA = BufferPool.Rent((transposeA ? rows : GemmTile<V>.Rows) * (long)Depth);
            for (long start = 0; start < k; start += Depth)
            {
                // The block's part of C stays in the second-level cache from one part of the depth to the next.
                var (depth, add) = ((int)Math.Min(Depth, k - start), start > 0 || beta == 1);
                var panelsOfB = panelMemory + (start * panels * GemmTile<V>.Columns);
                var target = c + (row * ldc);
                if (transposeA)
                {
                    var partOfA = a + (start * lda) + row;
                    PackColumns(partOfA, lda, count, depth, panelsOfA.Pointer);
                    MultiplyColumns(
                        panelsOfA.Pointer, count, panelsOfB, n, depth, alpha, target, ldc, add, partOfA + (depth * lda),
                        lda, Math.Min(Depth, k - start - depth));
                }
                else
                {
                    MultiplyRows(
                        a + (row * lda) + start, lda, count, panelsOfA.Pointer, panelsOfB, n, depth, alpha, target, ldc,
                        add);
                }
            }
        });
    }

    /// <summary>
    /// C ← α·Aᵀ·B + β·C by way of Cᵀ = α·Bᵀ·A: of two factors the larger one had better be the one whose rows threads
    /// share, since the other one is packed as a whole and read by all.
    /// </summary>
    private void MultiplyTurned(
        long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb, float beta, float* c, long ldc)
    {
        using var scratch = BufferPool.Rent(m * n);
        var turned = scratch.Pointer;
        Multiply(true, false, n, m, k, alpha, b, ldb, a, lda, 0, turned, m);
        CpuTeam.For(m, GemmTile<V>.Rows, (first, count) =>
        {
            for (long column = 0; column < n; column += SideOfSquare)
            {
                var end = Math.Min(n, column + SideOfSquare);
                for (var row = first; row < first + count; row++)
                {
                    var target = c + (row * ldc);
                    for (var i = column; i < end; i++)
                        target[i] = beta == 0 ? turned[(i * m) + row] : target[i] + turned[(i * m) + row];
                }
            }
        });
    }

    private static int RowsPerBlock(long m)
    {
        // Every thread should have some blocks, all threads as many, and a block whole tiles.
        const int most = MostRowsOfBlock;
        var tile = GemmTile<V>.Rows;
        var threads = CpuTeam.Threads;
        var blocks = Math.Max(2 * threads, (m + (most / tile * tile) - 1) / (most / tile * tile));
        blocks = (blocks + threads - 1) / threads * threads;
        return (int)((((m + blocks - 1) / blocks) + tile - 1) / tile * tile);
    }

    /// <summary>
    /// A block of A's rows, read where they are; only a last tile of fewer rows is copied.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyRows(
        float* a, long lda, int rows, float* padded, float* panels, long n, int depth, float alpha, float* c, long ldc,
        bool add)
    {
        var whole = rows / GemmTile<V>.Rows * GemmTile<V>.Rows;
        if (whole < rows)
        {
            new Span<float>(padded, GemmTile<V>.Rows * depth).Clear();
            for (var row = whole; row < rows; row++)
                new ReadOnlySpan<float>(a + (row * lda), depth)
                    .CopyTo(new Span<float>(padded + ((row - whole) * depth), depth));
        }

        for (long column = 0; column < n; column += GemmTile<V>.Columns)
        {
            var b = panels + (column * depth);
            var width = (int)Math.Min(GemmTile<V>.Columns, n - column);
            for (var row = 0; row < whole; row += GemmTile<V>.Rows)
                GemmTile<V>.MultiplyPart(
                    depth, a + (row * lda), lda, 1, b, c + (row * ldc) + column, ldc, alpha, add, GemmTile<V>.Rows,
                    width);
            if (whole < rows)
                GemmTile<V>.MultiplyPart(
                    depth, padded, depth, 1, b, c + (whole * ldc) + column, ldc, alpha, add, rows - whole, width);
        }
    }

    /// <summary>
    /// A block of A's columns from panels. Meanwhile B's next panel and the rows that A's next block will be packed
    /// from come to the cache.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyColumns(
        float* packed, int columns, float* panels, long n, int depth, float alpha, float* c, long ldc, bool add,
        float* next, long lda, long nextDepth)
    {
        for (long column = 0; column < n; column += GemmTile<V>.Columns)
        {
            var b = panels + (column * depth);
            var width = (int)Math.Min(GemmTile<V>.Columns, n - column);
            var nextPanel = b + (GemmTile<V>.Columns * (long)depth);
            var share = GemmTile<V>.Columns * depth / ((columns + GemmTile<V>.Rows - 1) / GemmTile<V>.Rows);
            for (var row = 0; row < columns; row += GemmTile<V>.Rows, nextPanel += share)
            {
                Prefetch(nextPanel, share);
                if (nextDepth-- > 0)
                {
                    Prefetch(next, columns);
                    next += lda;
                }

                GemmTile<V>.MultiplyPart(
                    depth, packed + (row * (long)depth), 1, GemmTile<V>.Rows, b, c + (row * ldc)
                        + column, ldc, alpha, add,
                    Math.Min(GemmTile<V>.Rows, columns - row), width);
            }
        }
    }

    /// <summary>
    /// Columns of a matrix that is stored transposed, a tile's rows at a time, element by element along the depth.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackColumns(float* a, long lda, int columns, int depth, float* panels)
    {
        // Whole cache lines at a time: rows of a wide matrix share cache sets, and a line would be gone before its
        // other part is read.
        var strips = GemmTile<V>.Rows == 8 ? 2 : 8;
        var wide = strips * GemmTile<V>.Rows;
        var column = 0;
        for (; column + wide <= columns; column += wide, panels += wide * (long)depth)
        {
            float* source = a + column, target = panels;
            for (var step = 0; step < depth; step++, source += lda, target += GemmTile<V>.Rows)
            {
                for (var strip = 0; strip < strips; strip++)
                    CopyStrip(source + (strip * GemmTile<V>.Rows), target + (strip * (long)GemmTile<V>.Rows * depth));
            }
        }

        for (; column < columns; column += GemmTile<V>.Rows)
        {
            var source = a + column;
            if (column + GemmTile<V>.Rows <= columns)
            {
                for (var step = 0; step < depth; step++, source += lda, panels += GemmTile<V>.Rows)
                    CopyStrip(source, panels);
                continue;
            }

            for (var step = 0; step < depth; step++, source += lda, panels += GemmTile<V>.Rows)
            {
                for (var i = 0; i < GemmTile<V>.Rows; i++)
                    panels[i] = column + i < columns ? source[i] : 0;
            }
        }
    }

    /// <summary>As many floats as a tile has rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyStrip(float* source, float* target)
    {
        if (GemmTile<V>.Rows == 8)
        {
            Vector256.Load(source).Store(target);
        }
        else
        {
            Vector128.Load(source).Store(target);
            *(long*)(target + 4) = *(long*)(source + 4);
        }
    }

    /// <summary>Asks for memory to come to the second-level cache; addresses beyond an array do no harm.</summary>
    private static void Prefetch(float* first, long count)
    {
        for (long i = 0; Sse.IsSupported && i < count; i += FloatsPerLine)
            Sse.Prefetch1(first + i);
    }
}
