using System.Text;
using AnTransformer.Fuzz.Mutations;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Fuzz.Formats;

/// <summary>Tables of runs, for scaling laws.</summary>
internal sealed class CsvFormat : IFormat
{
    private const string Commas =
        """"
        architecture,parameters,tokens,flops,loss,note
        gpt,1e6,2e7,1.2e14,4.10,"a, b"
        gpt,2000000,4e7,4.8e14,3.85,""
        angpt,4_000_000,8e7,1.92e15,3.60,"two
        lines"
        angpt,8e6,1.6e8,7.7e15,3.41,"say ""so"""

        angpt,,1e9,1e16,nan,
        """";

    public string Name => "csv";

    public Sample Make(Random random)
    {
        var text = random.Next(4) switch
        {
            0 => Commas.Replace(',', ';'),
            1 => Commas.Replace(',', '\t'),
            2 => Commas.Replace("\n", "\r\n", StringComparison.Ordinal),
            _ => Commas,
        };
        var bytes = Encoding.UTF8.GetBytes(TextMutator.Change(text, random, random.FewChanges()));
        return new Sample("runs.csv", random.Next(4) == 0 ? ByteMutator.Change(bytes, random, random.FewChanges()) : bytes);
    }

    public void Read(string path)
    {
        var columns = new ScalingColumns { Parameters = "parameters", Tokens = "tokens", Flops = "flops", Group = "architecture" };
        _ = ScalingTable.Load(path, columns, computeOnly: false, skipIncomplete: true);
    }
}
