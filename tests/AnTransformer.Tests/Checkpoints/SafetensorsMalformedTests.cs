using System.Text;
using AnTransformer.Checkpoints;
using CsCheck;

namespace AnTransformer.Tests.Checkpoints;

public sealed class SafetensorsMalformedTests : IDisposable
{
    private const string A = """ "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]} """;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("{" + A + "}", 8, null)]
    [InlineData("{" + A + "}   ", 8, null)]
    [InlineData("{}", 0, null)]
    [InlineData("""{"__metadata__":{"k":"v"}}""", 0, null)]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,5],"data_offsets":[0,0]}}""", 0, null)]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]}}""", 0, null)]
    [InlineData("""{"a":{"dtype":"F64","shape":[],"data_offsets":[0,8],"later":[{"x":1}]}}""", 8, null)]
    [InlineData("", 0, "does not begin with '{'")]
    [InlineData(" {}", 0, "does not begin with '{'")]
    [InlineData("[]", 0, "does not begin with '{'")]
    [InlineData("{", 0, "is not JSON")]
    [InlineData("{}}", 0, "is not JSON")]
    [InlineData("{} x", 0, "is not JSON")]
    [InlineData("{" + A + ",}", 8, "is not JSON")]
    [InlineData("{" + A + "," + A + "}", 8, "tensor 'a' is there twice")]
    [InlineData("{\"__metadata__\":{\"k\":\"v\",\"k\":\"w\"}}", 0, "'k' is twice in __metadata__")]
    [InlineData("{\"__metadata__\":{\"k\":\"v\"},\"__metadata__\":{}}", 0, "__metadata__ is there twice")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "the value of 'k' in __metadata__ is not a string")]
    [InlineData("""{"__metadata__":7}""", 0, "__metadata__ is not an object")]
    [InlineData("""{"a":[]}""", 0, "tensor 'a' is not described by an object")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", 8, "tensor 'a' has the dtype 'F8_E4M3'; convert it")]
    [InlineData("""{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}""", 8, "has the dtype 'f32'")]
    [InlineData("""{"a":{"dtype":"1","shape":[2],"data_offsets":[0,8]}}""", 8, "has the dtype '1'")]
    [InlineData("""{"a":{"dtype":"F32, F64","shape":[2],"data_offsets":[0,8]}}""", 8, "has the dtype 'F32, F64'")]
    [InlineData("""{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}""", 8, "has the dtype ''")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "two values of dtype")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "lacks dtype, shape or data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "lacks dtype, shape or data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "lacks dtype, shape or data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "shape of tensor 'a' is not a list")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "shape of tensor 'a' holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "shape of tensor 'a' holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", 8, "shape of tensor 'a' holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}""", 8, "holds something else")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "of tensor 'a' overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}}""", 8, "of tensor 'a' overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "has 8 bytes where F32 [3] takes 12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "has the data_offsets [8, 0], not [begin, end]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}""", 8, "not [begin, end]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "data_offsets of tensor 'a' holds something else")]
    [InlineData("{" + A + "}", 7, "tensor 'a' ends at byte 8 of 7: the file is truncated")]
    [InlineData("{" + A + "}", 9, "1 bytes follow the last tensor")]
    [InlineData("{}", 1, "1 bytes follow the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "bytes 0 to 4, before tensor 'a', belong to no tensor")]
    [InlineData("{" + A + ""","b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}}""", 12, "tensors 'a' and 'b' overlap at byte 4")]
    [InlineData("{" + A + ""","b":{"dtype":"U8","shape":[8],"data_offsets":[9,17]}}""", 17, "bytes 8 to 9, before tensor 'b'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}""", 8, "ends at byte")]
    [InlineData("{\"\\ud800\":{}}", 0, "is not valid UTF-8")]
    [InlineData("{\"a\\nb\":[]}", 0, "tensor 'a\\nb' is not described")]
    public void A_header_is_accepted_or_refused_with_its_fault_named(string header, int dataLength, string? fault)
    {
        var path = Write(Encoding.UTF8.GetBytes(header), new byte[dataLength]);
        if (fault is null)
        {
            using var file = SafetensorsFile.Open(path);
            Assert.All(file.Names, name => Assert.Equal(file[name].ByteCount, file.GetBytes(name).Length));
            return;
        }

        var e = Assert.Throws<InvalidInputException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith($"'{path}' ", e.Message);
        Assert.Contains(fault, e.Message);
        Assert.DoesNotContain('\n', e.Message);
        Assert.EndsWith(".", e.Message);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused()
    {
        var path = Write([(byte)'{', (byte)'"', 0xff, (byte)'"', .. ":{}}"u8], []);
        Assert.Contains("not valid UTF-8", Assert.Throws<InvalidInputException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public void A_file_shorter_than_its_first_field_is_refused(int length)
    {
        var path = _directory["x"];
        File.WriteAllBytes(path, new byte[length]);
        var e = Assert.Throws<InvalidInputException>(() => SafetensorsFile.Open(path));
        Assert.Contains($"it has {length} bytes where the header's length alone takes 8", e.Message);
    }

    [Theory]
    [InlineData(3UL, 2)]
    [InlineData(100_000_001UL, 2)]
    [InlineData(ulong.MaxValue, 2)]
    [InlineData((ulong)long.MaxValue, 2)]
    [InlineData(1UL << 63, 2)]
    public void A_header_past_the_end_is_refused(ulong length, int present)
    {
        var path = _directory["x"];
        File.WriteAllBytes(path, [.. BitConverter.GetBytes(length), .. new byte[present]]);
        var e = Assert.Throws<InvalidInputException>(() => SafetensorsFile.Open(path));
        Assert.Contains($"its header would have {length} bytes, with {present} in the file", e.Message);
    }

    [Fact]
    public void A_header_of_more_than_100_MB_is_refused_though_the_file_has_it()
    {
        var path = _directory["x"];
        using (var stream = File.Create(path))
        {
            stream.Write(BitConverter.GetBytes(100_000_001UL));
            stream.SetLength(8 + 100_000_001);
        }

        Assert.Contains("100000000 allowed", Assert.Throws<InvalidInputException>(() => SafetensorsFile.Open(path)).Message);
    }

    [Fact]
    public void What_is_no_file_is_refused()
    {
        foreach (var path in new[] { _directory["missing"], _directory["no/where"], "" })
        {
            var e = Assert.Throws<InvalidInputException>(() => SafetensorsFile.Open(path));
            Assert.StartsWith($"Cannot read '{path}': ", e.Message);
        }

        Assert.StartsWith(
            $"'{_directory.Path}' is a directory", Assert.Throws<InvalidInputException>(() => SafetensorsFile.Open(_directory.Path)).Message);
    }

    [Fact]
    public void A_file_with_flipped_bytes_opens_or_is_refused()
    {
        using var stream = new MemoryStream();
        var writer = new SafetensorsWriter(
            stream,
            [("model.embed_tokens.weight", SafetensorsDtype.F32, [3, 4]), ("scale", SafetensorsDtype.BF16, [5]),
             ("position", SafetensorsDtype.I64, []), ("half", SafetensorsDtype.F16, [2, 1, 3])]);
        foreach (var entry in writer.Entries)
            writer.Write(entry.Name, new byte[entry.ByteCount]);
        var valid = stream.ToArray();
        var path = _directory["x"];
        int opened = 0, refused = 0;

        void Try(byte[] bytes)
        {
            File.WriteAllBytes(path, bytes);
            try
            {
                using var file = SafetensorsFile.Open(path);
                foreach (var name in file.Names)
                {
                    Assert.Equal(file[name].ByteCount, file.GetBytes(name).Length);
                    file.ContainsNonFinite(name);
                }

                opened++;
            }
            catch (InvalidInputException)
            {
                refused++;
            }
        }

        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[1, 3].Sample(
            changes =>
            {
                var bytes = (byte[])valid.Clone();
                foreach (var (at, value) in changes)
                    bytes[at] = value;
                Try(bytes);
            },
            iter: 5000,
            threads: 1);
        for (var length = 0; length < valid.Length; length++)
            Try(valid[..length]);
        Assert.True(opened > 100, $"{opened} opened");
        Assert.True(refused > 1000 + valid.Length / 2, $"{refused} refused");
    }

    private string Write(byte[] header, byte[] data)
    {
        var path = _directory["x.safetensors"];
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. data]);
        return path;
    }
}
