using System.Runtime.InteropServices;
using AnTransformer.Distributed;

namespace AnTransformer.Optimization;

/// <summary>
/// Which rows of which parameters each rank updates. Matrices whose numbers move each by itself are cut between blocks
/// of rows, so that constraints of rows stay with one rank and sums are made over the same blocks as without ranks;
/// matrices that are updated as a whole, and vectors, belong to one rank. What is sent together is shared equally.
/// </summary>
internal sealed class ShardPlan
{
    private readonly (long FirstRow, long Rows)[][] _rows;       // [parameter][rank]

    private ShardPlan(IReadOnlyList<ShardedShape> shapes, (long FirstRow, long Rows)[][] rows, int ranks)
    {
        _rows = rows;
        var order = Enumerable.Range(0, shapes.Count).OrderBy(index => shapes[index].Offset).ToList();
        Parts = [.. Enumerable.Range(0, ranks).Select(rank => order.Where(index => rows[index][rank].Rows > 0)
            .Select(index => Segment(shapes[index], rows[index][rank], shapes[index].Offset)).ToList())];
    }

    /// <summary>Each rank's segments of the flat buffer, in order.</summary>
    public IReadOnlyList<IReadOnlyList<BufferSegment>> Parts { get; }

    /// <summary>Shares parameters.</summary>
    /// <param name="shapes">The parameters.</param>
    /// <param name="sent">
    /// Parts of the flat buffer that are sent as one; what is in none of them is sent together.
    /// </param>
    /// <param name="ranks">How many ranks there are.</param>
    public static ShardPlan Create(
        IReadOnlyList<ShardedShape> shapes, IReadOnlyList<BufferSegment> sent, int ranks)
    {
        var rows = shapes.Select(_ => new (long FirstRow, long Rows)[ranks]).ToArray();
        var groups = Enumerable.Range(0, shapes.Count).GroupBy(index => Array.FindIndex(
            sent.ToArray(), part => part.First <= shapes[index].Offset && shapes[index].Offset < part.End));
        foreach (var group in groups)
            Share([.. group.OrderBy(index => shapes[index].Offset)], shapes, rows, ranks);
        return new ShardPlan(shapes, rows, ranks);
    }

    /// <summary>The rows of a parameter that a rank updates; none or some that follow each other.</summary>
    /// <param name="parameter">Index of its shape.</param>
    /// <param name="rank">The rank.</param>
    public (long FirstRow, long Rows) RowsOf(int parameter, int rank) => _rows[parameter][rank];

    /// <summary>Each rank's segments of a parameter's own numbers.</summary>
    /// <param name="parameter">Index of its shape.</param>
    /// <param name="shape">Its shape.</param>
    public IReadOnlyList<IReadOnlyList<BufferSegment>> PartsOf(int parameter, ShardedShape shape)
        => [.. _rows[parameter].Select(rows => rows.Rows == 0
            ? (IReadOnlyList<BufferSegment>)[]
            : [Segment(shape, rows, offset: 0)])];

    /// <summary>Each rank's segments within a part of the buffer that is sent as one.</summary>
    /// <param name="first">Its first number.</param>
    /// <param name="end">The number behind its last one.</param>
    public IReadOnlyList<IReadOnlyList<BufferSegment>> PartsWithin(long first, long end)
        => [.. Parts.Select(part => part.Where(segment => segment.First < end && segment.End > first)
            .Select(segment => new BufferSegment(
                Math.Max(first, segment.First), Math.Min(end, segment.End) - Math.Max(first, segment.First)))
            .ToList())];

    private static BufferSegment Segment(ShardedShape shape, (long FirstRow, long Rows) rows, long offset)
        => new(offset + (rows.FirstRow * shape.Width), rows.Rows * shape.Width);

    private static void Share(
        List<int> members, IReadOnlyList<ShardedShape> shapes, (long FirstRow, long Rows)[][] rows, int ranks)
    {
        var total = members.Sum(index => shapes[index].Rows * shapes[index].Width);
        long done = 0;
        foreach (var index in members)
        {
            var shape = shapes[index];
            for (long row = 0; row < shape.Rows; row += shape.RowsPerUnit)
            {
                var count = Math.Min(shape.RowsPerUnit, shape.Rows - row);
                // The rank in whose equal share of all numbers this unit's middle lies.
                var rank = (int)Math.Min(ranks - 1, (done + (count * shape.Width / 2)) * ranks / Math.Max(1, total));
                rows[index][rank] = rows[index][rank] is { Rows: > 0 } own
                    ? (own.FirstRow, own.Rows + count)
                    : (row, count);
                done += count * shape.Width;
            }
        }
    }
}

/// <summary>A parameter as it is shared.</summary>
/// <param name="Offset">Where it begins in the flat buffer.</param>
/// <param name="Rows">Rows of a matrix; 1 for a vector.</param>
/// <param name="Width">Numbers of a row.</param>
/// <param name="RowsPerUnit">Rows that stay together.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ShardedShape(long Offset, long Rows, long Width, long RowsPerUnit);
