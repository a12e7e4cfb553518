using System.Text;
using AnTransformer.Studies.Scaling.Tables;
using CsCheck;

namespace AnTransformer.Studies.Tests.Scaling;

public sealed class CsvTableTests
{
    [Fact]
    public void Any_fields_survive_writing_and_reading()
    {
        var field = Gen.String[Gen.Char["abc,;\t\"\n\r .1"], 0, 8].Select(text => text.Trim());
        var table = Gen.Select(Gen.Char[",;\t"], Gen.Int[2, 5], Gen.Bool, Gen.Bool).SelectMany((delimiter, width, crlf, bom)
            => field.Array[width].Array[0, 6].Select(rows => (delimiter, width, crlf, bom, rows)));
        table.Sample(t =>
        {
            var headers = Enumerable.Range(0, t.width).Select(i => $"c{i}").ToArray();
            var lines = new[] { headers }.Concat(t.rows).Select(row => string.Join(t.delimiter, row.Select(Quote)));
            var text = (t.bom ? "\uFEFF" : "") + string.Join(t.crlf ? "\r\n" : "\n", lines) + "\n";

            var read = CsvTable.Parse(text, "t.csv");

            Assert.Equal(headers, read.Headers);
            var kept = t.rows.Where(row => row.Any(value => value.Length > 0)).ToList();
            Assert.Equal(kept.Count, read.RowCount);
            for (var column = 0; column < t.width; column++)
                Assert.Equal(kept.Select(row => row[column]), read.Texts(headers[column]));
        });
    }

    [Fact]
    public void Positive_numbers_survive_in_any_notation()
        => Gen.Double.Select(Math.Abs).Where(value => double.IsFinite(value) && value > 0).Sample(value =>
            Assert.Equal([value, value], CsvTable.Parse($"x\n{value:r}\n{value:e17}\n", "t.csv").Positive("x")));

    [Theory]
    [InlineData("x\n1_000_000\n", 1e6)]
    [InlineData("x\n1.4e9\n", 1.4e9)]
    [InlineData("x\n 1E+20 \n", 1e20)]
    [InlineData("x\n123456789012345678901234567890\n", 123456789012345678901234567890.0)]
    [InlineData("a;x;b\n1,5;2.5;3\n", 2.5)]
    [InlineData("\"the, a\"\tx\n1\t\"2.5\"\n", 2.5)]
    [InlineData("a,x\r\n\r\n1,2.5,\r\n,,\r\n", 2.5)]
    [InlineData("sep=;\r\na;x\r\n1;2.5\r\n", 2.5)]
    [InlineData("a;x\n1;3,21\n", 3.21)]
    [InlineData("a;x\n1;0,123\n", 0.123)]
    [InlineData("a;x\n1;1,4E+09\n", 1.4e9)]
    [InlineData("a;x\n1;1.234.567,5\n", 1234567.5)]
    [InlineData("a,x\n1,\"3,21\"\n", 3.21)]
    [InlineData("a,x\n1,\"1,400,000\"\n", 1.4e6)]
    [InlineData("a,x\n1,\"1,234.5\"\n", 1234.5)]
    [InlineData("a;x\n1;1 400 000\n", 1.4e6)]
    [InlineData("a;x\n1;1\u00a0400\u00a0000,5\n", 1400000.5)]
    [InlineData("a;x\n1;1'400'000\n", 1.4e6)]
    [InlineData("a;x\n1;1.234\n", 1.234)]
    public void Numbers_are_read(string text, double expected) => Assert.Equal([expected], CsvTable.Parse(text, "t.csv").Positive("X"));

    [Theory]
    [InlineData("", "empty")]
    [InlineData("\n\n", "empty")]
    [InlineData("x,y\n1,2\n1,2,3\n", "t.csv:3", "3 values", "2 columns")]
    [InlineData("x,y\n\"1,2\n", "t.csv:2", "never ends")]
    [InlineData("lossy,y\n1,2\n", "no column 'x'", "--x", "'lossy'")]
    [InlineData("xx,y\n1,2\n", "did you mean 'xx'?")]
    [InlineData("x,y,x\n1,2,3\n", "2 columns are named 'x'")]
    [InlineData("X,y,x \nq,2,3\n1,2,\n", "t.csv:3", "column 'x'", "missing")]
    [InlineData("x,y\n1,2\n\n,3\n", "t.csv:4", "missing", "--skip-incomplete")]
    [InlineData("x,y\nfast,2\n", "t.csv:2", "'fast'", "not a number")]
    [InlineData("x,y\n\"1,5.2\",2\n", "t.csv:2", "'1,5.2'", "not a number")]
    [InlineData("x;y\n1,234;2\n", "t.csv:2", "column 'x'", "'1,234' may be a decimal comma or one between thousands")]
    [InlineData("x;y\n1,5;2\n2.5;2\n", "t.csv:2: column 'x': '1,5' has a decimal comma", "'2.5' (t.csv:3: column 'x') has a decimal point")]
    [InlineData("x;y\n1.400.000;2\n1.4e9;2\n", "t.csv:2", "'1.400.000'", "points between thousands", "t.csv:3")]
    [InlineData("x,y\n1,\"a\n\n2,b\n", "t.csv:2", "never ends")]
    [InlineData("x,y\nNaN,2\n", "t.csv:2", "missing")]
    [InlineData("x,y\ninfinity,2\n", "t.csv:2", "not finite")]
    [InlineData("x,y\n1e999,2\n", "t.csv:2", "not finite")]
    [InlineData("x,y\n0,2\n", "t.csv:2", "not positive")]
    [InlineData("x,y\n\"a\n\nb\",2\n-1,2\n", "t.csv:2", "not a number")]
    [InlineData("y,x\n\"a\n\nb\",2\n-1,-2\n", "t.csv:5", "-2 is not positive")]
    public void What_cannot_be_used_is_refused_with_the_place(string text, params string[] fragments)
    {
        var error = Assert.Throws<InvalidInputException>(() => CsvTable.Parse(text, "t.csv").Positive("x", "--x"));

        Assert.DoesNotContain('\n', error.Message);
        foreach (var fragment in fragments)
            Assert.Contains(fragment, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3,21", "3,123", 3.123)]
    [InlineData("1.400.000", "1.234", 1234)]
    [InlineData("3.21", "1,234", 1234)]
    public void One_number_that_can_be_read_in_one_way_only_decides_for_the_others(string clear, string other, double expected)
        => Assert.Equal(expected, CsvTable.Parse($"x\ty\n{clear}\t1\n{other}\t1\n", "t.csv").Positive("x")[1]);

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    public void Tables_are_read_in_the_encoding_that_their_mark_names(string encoding)
        => Assert.Equal([2.5], Load(Encoding.GetEncoding(encoding), "größe;x\n1;2,5\n").Positive("x"));

    [Fact]
    public void Text_in_an_encoding_that_nothing_names_is_refused_with_its_line()
    {
        var latin = Assert.Throws<InvalidInputException>(() => Load(Encoding.Latin1, "x;name\n1;klein\n2;größer\n"));
        Assert.Contains("table.csv:3: this is not UTF-8; save the table as CSV in UTF-8", latin.Message, StringComparison.Ordinal);
        var unmarked = Assert.Throws<InvalidInputException>(() => Load(new UnicodeEncoding(bigEndian: false, byteOrderMark: false), "x;y\n1;2\n"));
        Assert.Contains("table.csv:1: there are NUL characters, as in UTF-16", unmarked.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unreadable_files_are_refused()
    {
        Assert.Contains("no such file", Assert.Throws<InvalidInputException>(() => CsvTable.Load("/nowhere/runs.csv")).Message, StringComparison.Ordinal);
        Assert.Contains("is a directory", Assert.Throws<InvalidInputException>(() => CsvTable.Load(Path.GetTempPath())).Message, StringComparison.Ordinal);
    }

    private static CsvTable Load(Encoding encoding, string text)
    {
        var folder = Directory.CreateTempSubdirectory("angpt-csv-test-");
        try
        {
            var path = Path.Combine(folder.FullName, "table.csv");
            File.WriteAllText(path, text, encoding);
            return CsvTable.Load(path);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Quote(string field) => field.All(char.IsAsciiLetterOrDigit) ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
