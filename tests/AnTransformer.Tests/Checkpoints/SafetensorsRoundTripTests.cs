using System.Runtime.InteropServices;
using System.Text;
using AnTransformer.Checkpoints;
using CsCheck;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Checkpoints;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static readonly Gen<(string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape)[]> GenTensors =
        Gen.Select(Gen.String, Gen.Enum<SafetensorsDtype>(), Gen.Long[0, 7].Array[0, 4])
            .Select((name, dtype, shape) => (Sound(name), dtype, (IReadOnlyList<long>)shape))
            .Array[0, 8]
            .Select(tensors => tensors.DistinctBy(tensor => tensor.Item1).ToArray());

    // Unpaired surrogates have no UTF-8.
    private static string Sound(string name) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name));

    [Fact]
    public void Any_tensors_come_back_byte_for_byte()
    {
        var path = _directory["x.safetensors"];
        Gen.Select(GenTensors, Gen.Int).Sample(
            (tensors, seed) =>
            {
                var data = new Random(seed);
                var written = tensors.ToDictionary(t => t.Name, t => Bytes(data, SafetensorsEntry.ByteCountOf(t.Dtype, t.Shape)));
                WriteInPieces(path, tensors, written, data);
                using var file = SafetensorsFile.Open(path);
                Assert.Equal(tensors.Select(t => t.Name), file.Names);
                Assert.Equal("pt", file.Metadata["format"]);
                foreach (var (name, dtype, shape) in tensors)
                {
                    Assert.Equal(dtype, file[name].Dtype);
                    Assert.Equal(shape, file[name].Shape);
                    Assert.True(file.GetBytes(name).SequenceEqual(written[name]));
                }
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public void Data_begins_at_a_multiple_of_8_and_files_are_deterministic()
    {
        byte[] Write(string name)
        {
            using var stream = new MemoryStream();
            var writer = new SafetensorsWriter(stream, [(name, SafetensorsDtype.U8, [3])], [new("b", "2"), new("a", "1")]);
            writer.Write(name, new byte[] { 1, 2, 3 });
            writer.Complete();
            return stream.ToArray();
        }

        for (var length = 1; length < 20; length++)
        {
            var bytes = Write(new string('n', length));
            Assert.Equal(0, (8 + BitConverter.ToInt64(bytes)) % 8);
            Assert.Equal(bytes.Length, 8 + BitConverter.ToInt64(bytes) + 3);
            Assert.Equal(bytes, Write(new string('n', length)));
        }

        Assert.StartsWith("{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\"},\"n\":{", Encoding.UTF8.GetString(Write("n"), 8, 60));
    }

    [Fact]
    public void The_writer_refuses_data_that_the_header_does_not_announce()
    {
        using var stream = new MemoryStream();
        var writer = new SafetensorsWriter(stream, [("a", SafetensorsDtype.F32, [2]), ("b", SafetensorsDtype.I64, [1])]);
        Assert.Throws<InvalidOperationException>(() => writer.Write("b", [1L]));
        Assert.Throws<InvalidOperationException>(() => writer.Write("a", [1.0, 2.0]));
        Assert.Throws<InvalidOperationException>(() => writer.Write("a", [1f, 2f, 3f]));
        writer.Write("a", [1f]);
        Assert.Throws<InvalidOperationException>(writer.Complete);
        writer.Write("a", [2f]);
        Assert.Throws<InvalidOperationException>(writer.Complete);
        writer.Write("b", [3L]);
        Assert.Throws<InvalidOperationException>(() => writer.Write("b", [3L]));
        writer.Complete();

        Assert.Throws<ArgumentException>(() => new SafetensorsWriter(stream, [("a", SafetensorsDtype.F32, [-1])]));
        Assert.Throws<ArgumentException>(() => new SafetensorsWriter(stream, [("a", SafetensorsDtype.F32, [1L << 40, 1L << 40])]));
        Assert.Throws<ArgumentException>(() => new SafetensorsWriter(stream, [("__metadata__", SafetensorsDtype.F32, [])]));
        Assert.Throws<ArgumentException>(
            () => new SafetensorsWriter(stream, [("a", SafetensorsDtype.F32, []), ("a", SafetensorsDtype.F32, [])]));
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Int16)]
    [InlineData(ScalarType.Int8)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Bool)]
    public void Tensors_of_every_type_come_back(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var x = (randn(3, 50, 7) * 40).to(type);
        // A transposed view, a slice with an offset, a scalar, an empty tensor.
        Tensor[] tensors = [x, x.transpose(0, 2), x[1], x[2, 3, 4], x[TensorIndex.Slice(0, 0)]];
        var path = _directory["x.safetensors"];
        SafetensorsTensors.Write(path, tensors.Select((tensor, i) => KeyValuePair.Create($"t{i}", tensor)));

        using var file = SafetensorsFile.Open(path);
        for (var i = 0; i < tensors.Length; i++)
        {
            var back = file.ToTensor($"t{i}");
            Assert.Equal(type, back.dtype);
            Assert.Equal(tensors[i].shape, back.shape);
            Assert.True(back.equal(tensors[i]).all().item<bool>());
        }

        Assert.Equal(ScalarType.Float64, file.ToTensor("t0", ScalarType.Float64).dtype);
    }

    [Fact]
    public void Conversions_to_single_and_double_agree_with_torch()
    {
        using var scope = NewDisposeScope();
        var values = cat([randn(1001) * 100, tensor(new[] { 0f, -0f, 1e-40f, 65504f, -1e-7f, float.PositiveInfinity, float.NaN })]);
        ScalarType[] types = [ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16];
        var path = _directory["x.safetensors"];
        // One odd byte first, so that nothing that follows is aligned.
        var tensors = types.Select(type => KeyValuePair.Create($"{type}", values.to(type)))
            .Prepend(KeyValuePair.Create("odd", zeros(1, ScalarType.Byte)));
        SafetensorsTensors.Write(path, tensors);

        using var file = SafetensorsFile.Open(path);
        var singles = new float[1008];
        var doubles = new double[1008];
        foreach (var type in types)
        {
            file.CopyTo($"{type}", singles);
            Assert.Equal(values.to(type).to(ScalarType.Float32).data<float>().ToArray(), singles);
            file.CopyTo($"{type}", doubles);
            Assert.Equal(values.to(type).to(ScalarType.Float64).data<double>().ToArray(), doubles);
            Assert.True(file.ContainsNonFinite($"{type}"));
        }

        Assert.Throws<ArgumentException>(() => file.CopyTo("Float32", new float[1007]));
        Assert.Throws<InvalidInputException>(() => file.CopyTo("Float32", new long[1008]));
        Assert.Throws<InvalidInputException>(() => file.CopyTo("odd", new float[1]));
        Assert.Throws<InvalidInputException>(() => file.CopyTo("even", new float[1]));
    }

    [Fact]
    public void Integers_widen()
    {
        var path = _directory["x.safetensors"];
        using (var stream = File.Create(path))
        {
            var writer = new SafetensorsWriter(
                stream,
                [("i8", SafetensorsDtype.I8, [2]), ("u8", SafetensorsDtype.U8, [2]), ("i16", SafetensorsDtype.I16, [2]),
                 ("i32", SafetensorsDtype.I32, [2]), ("i64", SafetensorsDtype.I64, [2])]);
            writer.Write("i8", [sbyte.MinValue, sbyte.MaxValue]);
            writer.Write("u8", [byte.MinValue, byte.MaxValue]);
            writer.Write("i16", [short.MinValue, short.MaxValue]);
            writer.Write("i32", [int.MinValue, int.MaxValue]);
            writer.Write("i64", [long.MinValue, long.MaxValue]);
            writer.Complete();
        }

        using var file = SafetensorsFile.Open(path);
        long[] Read(string name)
        {
            var values = new long[2];
            file.CopyTo(name, values);
            return values;
        }

        Assert.Equal([sbyte.MinValue, sbyte.MaxValue], Read("i8"));
        Assert.Equal([byte.MinValue, byte.MaxValue], Read("u8"));
        Assert.Equal([short.MinValue, short.MaxValue], Read("i16"));
        Assert.Equal([int.MinValue, int.MaxValue], Read("i32"));
        Assert.Equal([long.MinValue, long.MaxValue], Read("i64"));
        Assert.All(file.Names, name => Assert.False(file.ContainsNonFinite(name)));
    }

    [Fact]
    public void One_value_that_is_not_finite_is_found_wherever_it_is()
    {
        var path = _directory["x.safetensors"];
        var types = new[] { ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16 };
        var values = Gen.Int[0, 2].Select(i => new[] { float.NaN, float.NegativeInfinity, 1f }[i]);
        Gen.Select(Gen.Int[1, 70], Gen.Int[0, 69], Gen.Int[0, 3], values).Sample(
            (count, at, type, value) =>
            {
                using var scope = NewDisposeScope();
                var x = full(count, 60000.0).to(types[type]);
                x[at % count] = value;
                SafetensorsTensors.Write(path, [KeyValuePair.Create("x", x)]);
                using var file = SafetensorsFile.Open(path);
                Assert.Equal(!float.IsFinite(value), file.ContainsNonFinite("x"));
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void The_fixtures_can_be_read()
    {
        var fixtures = Path.Combine(AppContext.BaseDirectory, "fixtures");
        var files = Directory.GetFiles(fixtures, "*.safetensors", SearchOption.AllDirectories);
        Assert.Equal(2 * Directory.GetFiles(fixtures, "config.json", SearchOption.AllDirectories).Length, files.Length);
        foreach (var path in files)
        {
            using var file = SafetensorsFile.Open(path);
            using var scope = NewDisposeScope();
            Assert.NotEmpty(file.Names);
            foreach (var name in file.Names)
            {
                var entry = file[name];
                var tensor = file.ToTensor(name);
                Assert.Equal(entry.Shape, tensor.shape);
                if (entry.Dtype == SafetensorsDtype.I64)
                    continue;
                Assert.False(file.ContainsNonFinite(name), name);
                var values = new double[entry.ElementCount];
                file.CopyTo(name, values);
                Assert.Equal(tensor.to(ScalarType.Float64).sum().item<double>(), values.Sum(), 6);
            }

            // Written again in the same order, the data is the same.
            var copy = _directory["copy.safetensors"];
            SafetensorsTensors.Write(copy, file.Names.Select(name => KeyValuePair.Create(name, file.ToTensor(name))), []);
            Assert.Equal(Data(path), Data(copy));
        }
    }

    [Fact]
    public void A_file_that_is_replaced_stays_readable_for_who_has_it_open()
    {
        var path = _directory["x.safetensors"];
        using var one = full(100_000, 1f);
        using var two = full(100_000, 2f);
        SafetensorsTensors.Write(path, [KeyValuePair.Create("x", one)]);
        using var before = SafetensorsFile.Open(path);
        SafetensorsTensors.Write(path, [KeyValuePair.Create("x", two)]);
        using var after = SafetensorsFile.Open(path);
        Assert.Equal(1f, MemoryMarshal.Cast<byte, float>(before.GetBytes("x"))[99_999]);
        Assert.Equal(2f, MemoryMarshal.Cast<byte, float>(after.GetBytes("x"))[99_999]);
    }

    private static byte[] Data(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes[(8 + (int)BitConverter.ToInt64(bytes))..];
    }

    private static byte[] Bytes(Random random, long count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static void WriteInPieces(
        string path,
        (string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape)[] tensors,
        Dictionary<string, byte[]> data,
        Random random)
    {
        AtomicFile.Write(path, stream =>
        {
            var writer = new SafetensorsWriter(stream, tensors);
            foreach (var (name, _, _) in tensors)
            {
                for (var rest = data[name].AsSpan(); !rest.IsEmpty;)
                {
                    var count = random.Next(1, rest.Length + 1);
                    writer.Write(name, rest[..count]);
                    rest = rest[count..];
                }
            }

            writer.Complete();
        });
    }
}
