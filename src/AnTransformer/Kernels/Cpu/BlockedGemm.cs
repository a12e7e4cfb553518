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
    private const int RowsOfBlock = 128;        // A's block stays in the second-level cache
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
                PackB(transposeB, b, ldb, start, depth, panel * (long)GemmTile.Columns, n, panelsOfPart + ((long)panel * GemmTile.Columns * depth));
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
                if (transposeA)
                    MultiplyBlock<DepthFirst>(a + (start * lda) + row, lda, count, panelsOfA.Pointer, panelsOfB, n, depth, alpha, c + (row * ldc), ldc, add);
                else
                    MultiplyBlock<RowFirst>(a + (row * lda) + start, lda, count, panelsOfA.Pointer, panelsOfB, n, depth, alpha, c + (row * ldc), ldc, add);
            }
        });
    }

    private static int RowsPerBlock(long m)
    {
        // Every thread should have some blocks, and a block whole tiles.
        var share = (m + (2 * CpuTeam.Threads) - 1) / (2 * CpuTeam.Threads);
        return (int)Math.Clamp((share + GemmTile.Rows - 1) / GemmTile.Rows * GemmTile.Rows, GemmTile.Rows, RowsOfBlock);
    }

    private static void MultiplyBlock<TLayout>(
        float* a, long lda, int rows, float* packed, float* panels, long n, int depth, float alpha, float* c, long ldc, bool add)
        where TLayout : struct, GemmTile.ILayout
    {
        var tiles = (rows + GemmTile.Rows - 1) / GemmTile.Rows;
        for (var tile = 0; tile < tiles; tile++)
        {
            var count = Math.Min(GemmTile.Rows, rows - (tile * GemmTile.Rows));
            var panel = packed + ((long)tile * GemmTile.Rows * PaddedDepth);
            if (typeof(TLayout) == typeof(RowFirst))
                PackRows(a + (tile * GemmTile.Rows * lda), lda, count, depth, panel);
            else
                PackColumns(a + (tile * GemmTile.Rows), lda, count, depth, panel);
        }

        var scratch = stackalloc float[GemmTile.Rows * GemmTile.Columns];
        for (long column = 0; column < n; column += GemmTile.Columns)
        {
            var b = panels + (column * depth);
            for (var tile = 0; tile < tiles; tile++)
            {
                var panel = packed + ((long)tile * GemmTile.Rows * PaddedDepth);
                var (height, width) = (Math.Min(GemmTile.Rows, rows - (tile * GemmTile.Rows)), (int)Math.Min(GemmTile.Columns, n - column));
                var target = c + (tile * GemmTile.Rows * ldc) + column;
                if (height == GemmTile.Rows && width == GemmTile.Columns)
                {
                    GemmTile.Multiply<TLayout>(depth, panel, b, target, ldc, alpha, add);
                    continue;
                }

                GemmTile.Multiply<TLayout>(depth, panel, b, scratch, GemmTile.Columns, alpha, add: false);
                CopyTile(scratch, target, ldc, height, width, add);
            }
        }
    }

    private static void CopyTile(float* tile, float* c, long ldc, int height, int width, bool add)
    {
        for (var row = 0; row < height; row++, tile += GemmTile.Columns, c += ldc)
        {
            for (var column = 0; column < width; column++)
                c[column] = add ? c[column] + tile[column] : tile[column];
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

    /// <summary>32 columns of op(B) from a depth on, step by step; columns beyond the last are 0.</summary>
    private static void PackB(bool transpose, float* b, long ldb, long start, int depth, long column, long n, float* panel)
    {
        var columns = (int)Math.Min(GemmTile.Columns, n - column);
        if (columns < GemmTile.Columns)
            new Span<float>(panel, depth * GemmTile.Columns).Clear();
        if (transpose)
        {
            PackTransposed(b + (column * ldb) + start, ldb, columns, depth, panel);
            return;
        }

        b += (start * ldb) + column;
        for (var step = 0; step < depth; step++, b += ldb, panel += GemmTile.Columns)
            new ReadOnlySpan<float>(b, columns).CopyTo(new Span<float>(panel, columns));
    }

    /// <summary>Rows of a matrix become columns of a panel, eight by eight elements in registers.</summary>
    private static void PackTransposed(float* rows, long stride, int count, int depth, float* panel)
    {
        const int side = 8;
        var (wholeRows, wholeDepth) = (count / side * side, depth / side * side);
        for (var row = 0; row < wholeRows; row += side)
        {
            for (var step = 0; step < wholeDepth; step += side)
                Transpose(rows + (row * stride) + step, stride, panel + (step * GemmTile.Columns) + row);
        }

        for (var row = 0; row < count; row++)
        {
            for (var step = row < wholeRows ? wholeDepth : 0; step < depth; step++)
                panel[(step * GemmTile.Columns) + row] = rows[(row * stride) + step];
        }
    }

    private static void Transpose(float* source, long stride, float* target)
    {
        var (r0, r1, r2, r3) = Quarter(source, stride);
        var (r4, r5, r6, r7) = Quarter(source + (4 * stride), stride);
        Join(r0, r4, target, 0);
        Join(r1, r5, target, 1);
        Join(r2, r6, target, 2);
        Join(r3, r7, target, 3);

        // Four rows of eight: in each half, element (i, j) moves to (j, i).
        static (Vector256<float>, Vector256<float>, Vector256<float>, Vector256<float>) Quarter(float* source, long stride)
        {
            var (a, b) = (Vector256.Load(source), Vector256.Load(source + stride));
            var (c, d) = (Vector256.Load(source + (2 * stride)), Vector256.Load(source + (3 * stride)));
            var (low, high) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
            var (low2, high2) = (Avx.UnpackLow(c, d), Avx.UnpackHigh(c, d));
            return (Avx.Shuffle(low, low2, 0x44), Avx.Shuffle(low, low2, 0xEE), Avx.Shuffle(high, high2, 0x44), Avx.Shuffle(high, high2, 0xEE));
        }

        static void Join(Vector256<float> first, Vector256<float> second, float* target, int row)
        {
            Avx.Permute2x128(first, second, 0x20).Store(target + (row * GemmTile.Columns));
            Avx.Permute2x128(first, second, 0x31).Store(target + ((row + 4) * GemmTile.Columns));
        }
    }

    private static bool IsAmd()
    {
        // "AuthenticAMD" in EBX, EDX, ECX.
        var (_, ebx, ecx, edx) = X86Base.CpuId(0, 0);
        return (ebx, edx, ecx) == (0x68747541, 0x69746E65, 0x444D4163);
    }

    private readonly struct RowFirst : GemmTile.ILayout
    {
        public static int RowStep => PaddedDepth;

        public static int DepthStep => 1;
    }

    private readonly struct DepthFirst : GemmTile.ILayout
    {
        public static int RowStep => 1;

        public static int DepthStep => GemmTile.Rows;
    }
}
