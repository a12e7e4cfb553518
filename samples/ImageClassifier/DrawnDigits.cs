using static TorchSharp.torch;

namespace ImageClassifier;

/// <summary>
/// Images of digits, drawn: strokes of varied slant, size, width and place on a ground of noise, with bits of other strokes
/// beside them. Image i is a function of (seed, i) alone, so that training never runs out and a test set is a range of i.
/// </summary>
internal static class DrawnDigits
{
    /// <summary>Pixels on a side.</summary>
    public const int Side = 28;

    /// <summary>Kinds of images.</summary>
    public const int Classes = 10;

    // Polylines in a box of [-1, 1]², y downward.
    private static readonly double[][][] Strokes =
    [
        [Arc(0, 0, 0.6, 1, 0, 360)],
        [[-0.35, -0.6, 0.1, -1, 0.1, 1]],
        [[.. Arc(0, -0.45, 0.55, 0.55, 180, 380), -0.6, 1, 0.65, 1]],
        [Arc(-0.05, -0.5, 0.55, 0.5, 200, 450), Arc(-0.05, 0.5, 0.6, 0.5, 270, 520)],
        [[0.3, 1, 0.3, -1, -0.65, 0.4, 0.7, 0.4]],
        [[0.5, -1, -0.45, -1, -0.5, -0.1, .. Arc(-0.05, 0.4, 0.6, 0.6, 230, 510)]],
        [[0.4, -1, .. Arc(0, 0.45, 0.55, 0.55, 190, 550)]],
        [[-0.6, -1, 0.6, -1, -0.15, 1]],
        [Arc(0, -0.5, 0.45, 0.5, 0, 360), Arc(0, 0.5, 0.55, 0.5, 0, 360)],
        [[.. Arc(0, -0.45, 0.55, 0.55, 10, 370), 0.3, 1]],
    ];

    /// <summary>Draws consecutive images.</summary>
    /// <param name="seed">Seed of the set.</param>
    /// <param name="first">Number of the first image.</param>
    /// <param name="count">B.</param>
    /// <returns>Brightness of about 0 to 1, [B, 28, 28], and digits, int64, [B].</returns>
    public static (Tensor Images, Tensor Digits) Batch(int seed, long first, int count)
    {
        var (pixels, digits) = (new float[count * Side * Side], new long[count]);
        Parallel.For(0, count, i =>
        {
            var random = new Random(HashCode(seed, first + i));
            digits[i] = random.Next(Classes);
            Draw((int)digits[i], random, pixels.AsSpan(i * Side * Side, Side * Side));
        });
        return (tensor(pixels).view(count, Side, Side), tensor(digits));
    }

    private static void Draw(int digit, Random random, Span<float> pixels)
    {
        var size = Between(5.5, 9.5);
        var (turn, slant, stretch) = (Between(-0.3, 0.3), Between(-0.35, 0.35), Between(0.75, 1.15));
        var (x, y) = (Between(size * 0.9, Side - (size * 0.9)), Between(size, Side - size));
        var (cos, sin) = (Math.Cos(turn) * size, Math.Sin(turn) * size);
        var segments = new List<(double X0, double Y0, double X1, double Y1)>();
        foreach (var stroke in Strokes[digit])
        {
            var points = stroke.Chunk(2).Select(point =>
            {
                var (px, py) = (stretch * (point[0] - (slant * point[1])), point[1]);
                return (X: x + (cos * px) - (sin * py), Y: y + (sin * px) + (cos * py));
            }).ToList();
            segments.AddRange(points.Zip(points.Skip(1), (a, b) => (a.X, a.Y, b.X, b.Y)));
        }

        for (var scrap = 0; scrap < 3; scrap++)
        {
            var (sx, sy, angle) = (Between(0, Side), Between(0, Side), Between(0, Math.Tau));
            segments.Add((sx, sy, sx + (3 * Math.Cos(angle)), sy + (3 * Math.Sin(angle))));
        }

        var (width, ink) = (Between(0.7, 1.4), Between(0.6, 1));
        for (var i = 0; i < pixels.Length; i++)
        {
            var nearest = segments.Min(segment => Distance(i % Side, i / Side, segment));
            var noise = 0.15 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble());
            pixels[i] = (float)((ink * Math.Clamp(width + 0.5 - nearest, 0, 1)) + noise);
        }

        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
    }

    private static double Distance(double x, double y, (double X0, double Y0, double X1, double Y1) segment)
    {
        var (dx, dy) = (segment.X1 - segment.X0, segment.Y1 - segment.Y0);
        var along = Math.Clamp((((x - segment.X0) * dx) + ((y - segment.Y0) * dy)) / ((dx * dx) + (dy * dy)), 0, 1);
        var (ex, ey) = (x - segment.X0 - (along * dx), y - segment.Y0 - (along * dy));
        return Math.Sqrt((ex * ex) + (ey * ey));
    }

    /// <summary>Part of an ellipse from one angle to another in degrees, 0 to the right, 90 downward.</summary>
    private static double[] Arc(double x, double y, double width, double height, double from, double to)
        => [.. Enumerable.Range(0, 13).Select(i => (from + ((to - from) * i / 12)) * Math.PI / 180)
            .SelectMany(angle => new[] { x + (width * Math.Cos(angle)), y + (height * Math.Sin(angle)) })];

    /// <summary>The same in every process, other than <see cref="System.HashCode"/>.</summary>
    private static int HashCode(int seed, long index)
    {
        var value = ((ulong)seed * 0x9E3779B97F4A7C15) + ((ulong)index * 0xD1342543DE82EF95);
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        return (int)(value >> 32);
    }
}
