using System.IO.Compression;
using System.Text;
using AnTransformer.Fuzz.Mutations;
using AnTransformer.Training.Data.Preparation;
using ZstdSharp;

namespace AnTransformer.Fuzz.Formats;

/// <summary>Documents in JSON lines and plain text, also compressed.</summary>
internal sealed class JsonLinesFormat : IFormat
{
    private const string Lines =
        """
        {"text":"First document.","id":1,"meta":{"tags":["a","b"],"score":0.5}}
        {"id":2,"text":"With \"quotes\", \\ and \u00e9\ud83d\ude00\n"}

        {"text":null}
        {"text":"","nested":[[[{"text":"not this"}]]]}
        {"text":"Last."}
        """;

    public string Name => "jsonl";

    public Sample Make(Random random)
    {
        var bytes = random.Next(3) switch
        {
            0 => Encoding.UTF8.GetBytes(TextMutator.Change(Lines, random, random.FewChanges())),
            1 => Encoding.UTF8.GetBytes(Lines),
            _ => [.. JsonMutator.Change(Seeds.Json(Lines.Split('\n')[random.Next(2)]), random, random.FewChanges()), (byte)'\n', .. Encoding.UTF8.GetBytes(Lines)],
        };
        if (random.Next(3) == 0)
            bytes = ByteMutator.Change(bytes, random, random.FewChanges());
        return random.Next(6) switch
        {
            0 => Compressed("text.jsonl.gz", bytes, stream => new GZipStream(stream, CompressionLevel.Fastest), random),
            1 => Compressed("text.jsonl.zst", bytes, stream => new CompressionStream(stream), random),
            2 => new Sample("text.txt", bytes),
            _ => new Sample("text.jsonl", bytes),
        };
    }

    public void Read(string path)
    {
        foreach (var document in DocumentSource.Read([path]))
            _ = document.Text.Length;
    }

    private static Sample Compressed(string name, byte[] bytes, Func<Stream, Stream> compress, Random random)
    {
        using var memory = new MemoryStream();
        using (var stream = compress(memory))
            stream.Write(bytes);
        return new Sample(name, random.Next(3) == 0 ? memory.ToArray() : ByteMutator.Change(memory.ToArray(), random, random.FewChanges()));
    }
}
