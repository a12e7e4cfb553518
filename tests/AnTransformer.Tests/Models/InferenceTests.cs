using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Generation;
using AnTransformer.Inference;
using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Operators;

namespace AnTransformer.Tests.Models;

/// <summary>The inference engine against independent fixtures, against LibTorch, and against itself.</summary>
public sealed class InferenceTests : IDisposable
{
    private const double SinglePrecision = 1e-5;
    private readonly string _folder = System.IO.Directory.CreateTempSubdirectory("inference-test-").FullName;

    public static TheoryData<string> Names => Fixture.Names;

    public static TheoryData<string> Causal => new(Fixture.Names.Select(row => row.Data).Where(name => name != "gpt-plus-bidirectional"));

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void Logits_agree_with_an_independent_implementation(string name)
    {
        using var expected = SafetensorsFile.Open(Path.Combine(Fixture.PathOf(name), "expected.safetensors"));
        using var model = InferenceModel.Load(Fixture.PathOf(name));
        var (batch, length) = ((int)expected["tokens"].Shape[0], (int)expected["tokens"].Shape[1]);
        var tokens = new long[batch * length];
        var logits = new float[tokens.Length * model.Config.VocabSize];
        expected.CopyTo("tokens", tokens);
        expected.CopyTo("logits", logits);
        var actual = new float[logits.Length];
        for (var i = 0; i < batch; i++)
        {
            using var session = model.CreateSession();
            var at = i * length;
            session.Read([.. tokens[at..(at + length)].Select(id => (int)id)], (position, row)
                => row.CopyTo(actual.AsSpan((at + position) * model.Config.VocabSize)));
        }

        Assert.InRange(Error(actual, logits), 0, SinglePrecision);
    }

    [Theory]
    [MemberData(nameof(Causal))]
    public void Token_by_token_in_parts_and_at_once_agree(string name)
    {
        using var model = InferenceModel.Load(Fixture.PathOf(name));
        var tokens = Tokens(model.Config.MaxPositionEmbeddings, model.Config.VocabSize);
        var whole = All(model, tokens);
        using var session = model.CreateSession();
        for (var i = 0; i < tokens.Length; i++)
            AssertClose(whole[i], session.Decode(tokens[i]));
        Assert.Throws<InvalidOperationException>(() => { session.Decode(1); });
        session.Truncate(2);
        AssertClose(whole[^2], session.Prefill(tokens.AsSpan(2, tokens.Length - 3)));
        AssertClose(whole[^1], session.Prefill(tokens.AsSpan(tokens.Length - 1)));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_pass_of_many_tokens_agrees_with_passes_of_few(string architecture)
    {
        using var model = InferenceModel.Load(Saved(architecture));
        var tokens = Tokens(150, model.Config.VocabSize);
        var whole = All(model, tokens);
        using var session = model.CreateSession();
        for (var start = 0; start < tokens.Length; start += 6)
            AssertClose(whole[start + 5], session.Prefill(tokens.AsSpan(start, 6)));
        session.Truncate(70);
        AssertClose(whole[149], session.Prefill(tokens.AsSpan(70)));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Greedy_text_is_that_of_LibTorch_also_when_the_context_is_full(string architecture)
    {
        var directory = Saved(architecture, context: 24);
        using var expected = ModelCheckpoint.Load(directory, ModelContext.Default);
        using var model = InferenceModel.Load(directory);
        var greedy = new SamplingOptions(Temperature: 0);
        Assert.Equal(
            new TextGenerator(expected).Generate([1, 2, 3], 80, greedy),
            new InferenceGenerator(model).Generate([1, 2, 3], 80, greedy));
        var penalized = greedy with { RepetitionPenalty = 1.3 };
        Assert.Equal(
            new TextGenerator(expected).Generate([1, 2, 3], 40, penalized),
            new InferenceGenerator(model).Generate([1, 2, 3], 40, penalized));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Sequences_decoded_together_are_those_decoded_alone(string architecture)
    {
        using var model = InferenceModel.Load(Saved(architecture));
        var alone = Enumerable.Range(0, 7).Select(_ => model.CreateSession()).ToArray();
        var together = Enumerable.Range(0, 7).Select(_ => model.CreateSession()).ToArray();
        for (var i = 0; i < alone.Length; i++)
        {
            // Of different lengths.
            alone[i].Prefill(Tokens(3 + (5 * i), model.Config.VocabSize));
            together[i].Prefill(Tokens(3 + (5 * i), model.Config.VocabSize));
        }

        for (var step = 0; step < 3; step++)
        {
            var tokens = Enumerable.Range(0, alone.Length).Select(i => (7 * i) + step).ToArray();
            var logits = model.Decode(together, tokens).ToArray();
            for (var i = 0; i < alone.Length; i++)
                AssertClose(logits.AsSpan(i * model.Config.VocabSize, model.Config.VocabSize), alone[i].Decode(tokens[i]));
        }

        Assert.Throws<ArgumentException>(() => { model.Decode([alone[0], alone[0]], [1, 2]); });
        Assert.Throws<InvalidInputException>(() => { model.Decode([alone[0]], [model.Config.VocabSize]); });
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Prompts_and_next_tokens_read_in_one_pass_are_those_read_alone(string architecture)
    {
        using var model = InferenceModel.Load(Saved(architecture));
        var size = model.Config.VocabSize;
        var tokens = Tokens(60, size);
        using var continued = model.CreateSession();
        using var begun = model.CreateSession();
        using var alone = model.CreateSession();
        continued.Prefill(tokens.AsSpan(0, 9));
        begun.Prefill(tokens.AsSpan(0, 20));
        using var fresh = model.CreateSession();

        int[] read = [tokens[9], .. tokens[20..31], .. tokens[..33]];
        var logits = model.Read([continued, begun, fresh], [1, 11, 33], read, [0, 5, 11, 12, 44]).ToArray();

        Assert.Equal((10, 31, 33), (continued.Length, begun.Length, fresh.Length));
        var row = 0;
        foreach (var length in (int[])[10, 25, 31, 1, 33])
        {
            alone.Truncate(0);
            AssertClose(logits.AsSpan(row++ * size, size), alone.Prefill(tokens.AsSpan(0, length)));
        }

        Assert.Throws<ArgumentException>(() => { model.Read([continued, begun], [1, 2], [1, 2], [1]); });
        Assert.Throws<ArgumentException>(() => { model.Read([continued], [2], [1, 2], [1, 1]); });
        Assert.Throws<ArgumentException>(() => { model.Read([continued], [2], [1, 2], [2]); });
        Assert.Throws<ArgumentException>(() => { model.Read([continued], [0], [], []); });
        Assert.Equal(10, continued.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Any_number_of_threads_computes_the_same(int threads)
    {
        var directory = Saved("angpt");
        using var one = InferenceModel.Load(directory, new InferenceOptions(Threads: 1));
        using var several = InferenceModel.Load(directory, new InferenceOptions(Threads: threads));
        Assert.Equal(threads, several.Threads);
        var tokens = Tokens(100, one.Config.VocabSize);
        Assert.Equal(one.Score(tokens), several.Score(tokens));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Packed_weights_lose_little(string architecture)
    {
        var directory = Saved(architecture);
        using var exact = InferenceModel.Load(directory);
        using var half = InferenceModel.Load(directory, new InferenceOptions(WeightDtype.BF16));
        using var quantized = InferenceModel.Load(directory, new InferenceOptions(WeightDtype.Q8));
        Assert.Equal(0, exact.PackedBytes);
        Assert.Equal(exact.WeightBytes / 2, half.WeightBytes);
        Assert.Equal(exact.WeightBytes * 34 / 128, quantized.WeightBytes);
        var tokens = Tokens(60, exact.Config.VocabSize);
        foreach (var model in new[] { half, quantized })
        {
            Assert.InRange(Math.Abs(exact.Score(tokens).Average() - model.Score(tokens).Average()), 1e-9, 0.01);
            // Few and many tokens take different kernels of the same numbers.
            using var session = model.CreateSession();
            var whole = All(model, tokens);
            for (var i = 0; i < 5; i++)
                AssertClose(whole[i], session.Decode(tokens[i]));
            AssertClose(whole[8], session.Prefill(tokens.AsSpan(5, 4)));
        }
    }

    [Fact]
    public void Decoding_allocates_nothing()
    {
        using var model = InferenceModel.Load(Saved("angpt"));
        using var session = model.CreateSession();
        session.Prefill(Tokens(10, model.Config.VocabSize));
        for (var i = 0; i < 5; i++)
            session.Decode(i);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
            session.Decode(i);
        // Not per token: the runtime allocates when a thread sleeps for the first time.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 19 * 24);
    }

    [Fact]
    public unsafe void Blocks_are_those_of_Q8_0_and_every_vector_width_multiplies_them()
    {
        const int columns = 160;
        var random = new Random(1);
        var values = Enumerable.Range(0, 5 * columns).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Exp(4 * random.NextDouble()))).ToArray();
        var x = Enumerable.Range(0, columns).Select(_ => (float)random.NextDouble()).ToArray();
        var quants = new sbyte[values.Length];
        var scales = new Half[values.Length / 32];
        fixed (sbyte* q = quants)
        fixed (Half* s = scales)
        fixed (float* input = x)
        {
            Assert.True(BlockQuantization.Quantize(values, q, s));
            for (var block = 0; block < scales.Length; block++)
            {
                var largest = values.Skip(32 * block).Take(32).Max(Math.Abs);
                Assert.Equal((Half)(largest / 127), scales[block]);
                for (var i = 32 * block; i < 32 * (block + 1); i++)
                    Assert.InRange(Math.Abs(values[i] - (quants[i] * largest / 127)), 0, largest / 127 * 0.5001);
            }

            foreach (var width in new[] { 4, 8, 16 })
            {
                var (y, wide) = (new float[5], new float[values.Length]);
                fixed (float* result = y)
                fixed (float* widened = wide)
                {
                    if (width == 4)
                        Run<Simd128>(q, s, input, result, widened, columns);
                    else if (width == 8)
                        Run<Simd256>(q, s, input, result, widened, columns);
                    else
                        Run<Simd512>(q, s, input, result, widened, columns);
                }

                for (var row = 0; row < 5; row++)
                {
                    var sum = 0.0;
                    for (var i = row * columns; i < (row + 1) * columns; i++)
                    {
                        Assert.Equal(quants[i] * (float)scales[i / 32], wide[i]);
                        sum += (double)wide[i] * x[i % columns];
                    }

                    Assert.Equal(sum, y[row], 1e-4 * Math.Max(1, Math.Abs(sum)));
                }
            }
        }

        static void Run<V>(sbyte* q, Half* s, float* x, float* y, float* wide, int columns)
            where V : struct, ISimd<V>
        {
            AnTransformer.Inference.Kernels.QuantizedProducts<V>.Multiply(q, (ushort*)s, 5, columns, x, y);
            BlockQuantization.Dequantize<V>(q, (ushort*)s, wide, 5 * columns);
        }
    }

    [Fact]
    public unsafe void Rows_of_every_format_and_vector_width_are_multiplied_with_few_tokens()
    {
        Check<SimdScalar>();
        Check<Simd128>();
        Check<Simd256>();
        Check<Simd512>();

        static void Check<V>()
            where V : struct, ISimd<V>
        {
            var random = new Random(3);
            foreach (var (rows, columns) in new[] { (4, 64), (5, 128), (9, 96), (3, 32) })
            {
                float Next() => (float)(random.NextDouble() - 0.5);
                var values = Enumerable.Range(0, rows * columns).Select(_ => Next()).ToArray();
                var halves = values.Select(value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)).ToArray();
                var quants = values.Select(value => (sbyte)(value * 200)).ToArray();
                var scales = Enumerable.Range(0, rows * columns / 32).Select(_ => Next()).ToArray();
                fixed (float* f32 = values, s = scales)
                fixed (ushort* bf16 = halves)
                fixed (sbyte* q8 = quants)
                {
                    Products<V, Inference.Kernels.F32Rows>((byte*)f32, null, rows, columns, i => values[i]);
                    Products<V, Inference.Kernels.F32Rows>((byte*)f32, null, rows, columns - 3, i => values[i]);
                    Products<V, Inference.Kernels.BF16Rows>(
                        (byte*)bf16, null, rows, columns, i => BitConverter.UInt32BitsToSingle((uint)halves[i] << 16));
                    Products<V, Inference.Kernels.BF16Rows>(
                        (byte*)bf16, null, rows, columns - 5, i => BitConverter.UInt32BitsToSingle((uint)halves[i] << 16));
                    if (V.Width > 1)
                        Products<V, Inference.Kernels.Q8Rows>((byte*)q8, s, rows, columns, i => quants[i] * scales[i / 32]);
                }
            }
        }

        static void Products<V, F>(byte* w, float* scales, int rows, int columns, Func<int, float> weight)
            where V : struct, ISimd<V>
            where F : struct, Inference.Kernels.IWeightFormat
        {
            var random = new Random(4);
            for (var tokens = 1; tokens <= 7; tokens++)
            {
                int ldx = columns + 2, ldy = rows + 1;
                var x = Enumerable.Range(0, tokens * ldx).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
                var y = Enumerable.Repeat(float.NaN, tokens * ldy).ToArray();
                fixed (float* input = x, output = y)
                    Inference.Kernels.RowProducts<V, F>.Multiply(w, scales, rows, columns, input, ldx, tokens, output, ldy);
                for (var token = 0; token < tokens; token++)
                {
                    for (var row = 0; row < rows; row++)
                    {
                        var sum = 0.0;
                        for (var i = 0; i < columns; i++)
                            sum += (double)weight((row * columns) + i) * x[(token * ldx) + i];
                        Assert.Equal(sum, y[(token * ldy) + row], 1e-4);
                    }

                    Assert.Equal(float.NaN, y[(token * ldy) + rows]);
                }
            }
        }
    }

    [Fact]
    public unsafe void Tiles_of_every_vector_width_multiply()
    {
        Check<Simd128>();
        Check<Simd256>();
        Check<Simd512>();

        static void Check<V>()
            where V : struct, ISimd<V>
        {
            var random = new Random(2);
            (int, int, int)[] sizes = [(1, 3, 9), (1, 2 * V.Width, 17), (8, 2 * V.Width, 5), (13, 5, 30), (6, 2 * V.Width, 1)];
            foreach (var (rows, columns, depth) in sizes)
            {
                const int padded = 24;
                var a = Enumerable.Range(0, padded * depth).Select(_ => (float)random.NextDouble()).ToArray();
                var b = Enumerable.Range(0, depth * 2 * V.Width).Select(_ => (float)random.NextDouble()).ToArray();
                var c = Enumerable.Repeat(1f, padded * 2 * V.Width).ToArray();
                fixed (float* pa = a)
                fixed (float* pb = b)
                fixed (float* pc = c)
                {
                    Inference.Kernels.Tiles<V>.Multiply(rows, columns, depth, pa, depth, pb, pc, 2 * V.Width, 1, add: false);
                    Inference.Kernels.Tiles<V>.Multiply(rows, columns, depth, pa, depth, pb, pc, 2 * V.Width, 1, add: true);
                }

                for (var row = 0; row < rows; row++)
                {
                    for (var column = 0; column < columns; column++)
                    {
                        var sum = 0.0;
                        for (var i = 0; i < depth; i++)
                            sum += 2.0 * a[(row * depth) + i] * b[(i * 2 * V.Width) + column];
                        Assert.Equal(sum, c[(row * 2 * V.Width) + column], 1e-4);
                    }
                }
            }
        }
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        Assert.Throws<InvalidInputException>(() => InferenceModel.Load(Path.Combine(_folder, "nothing")));
        Assert.Throws<InvalidInputException>(() => InferenceModel.Load(Fixture.PathOf("angpt"), new InferenceOptions(Threads: -1)));
        using var model = InferenceModel.Load(Fixture.PathOf("angpt"));
        Assert.Throws<InvalidInputException>(() => model.Score([1, 37]));
        Assert.Throws<InvalidInputException>(() => model.Score(Tokens(13, 37)));
        Assert.Empty(model.Score([5]));
        using var bidirectional = InferenceModel.Load(Fixture.PathOf("gpt-plus-bidirectional"));
        using var session = bidirectional.CreateSession();
        Assert.Throws<InvalidInputException>(() => { session.Decode(1); });
        Assert.Throws<InvalidInputException>(() => new InferenceGenerator(bidirectional).Generate([1], 1, new SamplingOptions()));
    }

    public void Dispose() => System.IO.Directory.Delete(_folder, recursive: true);

    private static int[] Tokens(int count, int vocabulary) => [.. Enumerable.Range(0, count).Select(i => (i * i * 7) % vocabulary)];

    private static float[][] All(InferenceModel model, int[] tokens)
    {
        var logits = new float[tokens.Length][];
        using var session = model.CreateSession();
        session.Read(tokens, (position, row) => logits[position] = row.ToArray());
        return logits;
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
        => Assert.InRange(Error(actual, expected), 0, SinglePrecision);

    private static double Error(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = 0, difference = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = Math.Max(difference, Math.Abs(actual[i] - expected[i]));
        }

        return difference / largest;
    }

    /// <summary>A random model whose grouped heads, widths and window fit no tile.</summary>
    private string Saved(string architecture, int context = 160)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 101, 96, 4, 3, context) with
        {
            NumKeyValueHeads = 2,
            HeadDim = 40,
            IntermediateSize = 224,
            SlidingWindow = 50,
        };
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(3);
        var directory = System.IO.Directory.CreateDirectory(Path.Combine(_folder, architecture + context)).FullName;
        ModelCheckpoint.Save(model, directory);
        return directory;
    }
}
