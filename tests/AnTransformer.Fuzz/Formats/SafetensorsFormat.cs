using System.Buffers.Binary;
using System.Text;
using AnTransformer.Checkpoints;
using AnTransformer.Fuzz.Mutations;

namespace AnTransformer.Fuzz.Formats;

/// <summary>Weights: eight bytes of length, a header in JSON, the data.</summary>
internal sealed class SafetensorsFormat : IFormat
{
    private const int DataBytes = 128;
    private const string Header =
        """
        {"__metadata__":{"format":"pt","note":"é"},"a":{"dtype":"F32","shape":[2,4],"data_offsets":[0,32]},
        "b":{"dtype":"BF16","shape":[8],"data_offsets":[32,48]},"c":{"dtype":"I64","shape":[2,1,2],"data_offsets":[48,80]},
        "d":{"dtype":"F64","shape":[],"data_offsets":[80,88]},"e":{"dtype":"U8","shape":[40],"data_offsets":[88,128]}}
        """;

    public string Name => "safetensors";

    public Sample Make(Random random)
    {
        var header = random.Next(4) == 0 ? Encoding.UTF8.GetBytes(Header) : JsonMutator.Change(Seeds.Json(Header), random, random.FewChanges());
        var data = new byte[random.Next(5) == 0 ? random.Next(2 * DataBytes) : DataBytes];
        random.NextBytes(data);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(
            length, random.Next(8) == 0 ? header.Length + (random.Next(2) == 0 ? random.Next(-3, 4) : random.Pick(Interesting.Integers)) : header.Length);
        byte[] file = [.. length, .. header, .. data];
        return new Sample("model.safetensors", random.Next(3) == 0 ? ByteMutator.Change(file, random, random.FewChanges()) : file);
    }

    public void Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        _ = file.Metadata.Count;
        foreach (var name in file.Names)
        {
            var entry = file[name];
            _ = file.GetBytes(name).Length;
            using (var stream = file.OpenStream(name))
                stream.CopyTo(Stream.Null);
            _ = file.ContainsNonFinite(name);
            if (entry.Dtype is SafetensorsDtype.F32 or SafetensorsDtype.F64 or SafetensorsDtype.F16 or SafetensorsDtype.BF16)
                file.CopyTo(name, new double[entry.ElementCount]);
            else if (entry.Dtype == SafetensorsDtype.I64)
                file.CopyTo(name, new long[entry.ElementCount]);
        }
    }
}
