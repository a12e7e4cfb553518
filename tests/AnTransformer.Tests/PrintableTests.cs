using System.Text;
using CsCheck;

namespace AnTransformer.Tests;

public sealed class PrintableTests
{
    private const int LongestLine = 2000;

    [Theory]
    [InlineData("plain ünï 😀", "plain ünï 😀")]
    [InlineData("two\nlines\r\n\tindented", "two\\nlines\\r\\n\\tindented")]
    [InlineData("\u001b[31mred\u001b]0;title\u0007", "\\u001b[31mred\\u001b]0;title\\u0007")]
    [InlineData("\u009b1mC1 and DEL\u007f\0", "\\u009b1mC1 and DEL\\u007f\\u0000")]
    [InlineData("a\u202eb\u2066c\u200bd\ufeff", "a\\u202eb\\u2066c\\u200bd\\ufeff")]
    [InlineData("line\u2028and\u2029paragraph\u0085next", "line\\u2028and\\u2029paragraph\\u0085next")]
    public void What_cannot_be_seen_is_escaped(string text, string expected)
    {
        Assert.Equal(expected, Printable.Line(text));
        Assert.Equal(expected, Printable.Excerpt(text));
        Assert.Equal(expected, new InvalidInputException(text).Message);
        Assert.Equal(expected, new InvalidInputException(text, new IOException()).Message);
    }

    [Fact]
    public void Any_text_becomes_one_line_without_control_characters_and_of_bounded_length()
        => Gen.Char.Array[0, 3000].Sample(characters =>
        {
            var text = new string(characters);
            foreach (var (line, longest) in new[] { (Printable.Line(text), LongestLine), (Printable.Excerpt(text), Printable.LongestExcerpt), (Printable.Excerpt(text, 7), 7) })
            {
                Assert.DoesNotContain(line, character => char.IsControl(character) || character is '\u2028' or '\u2029' or '\u202e');
                Assert.InRange(line.Length, 0, longest + 1);
                // No half of a surrogate pair is left: it can be written as UTF-8 and read back.
                Assert.Equal(line, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(line)));
            }
        });

    [Fact]
    public void A_cut_is_marked_and_splits_no_character()
    {
        Assert.Equal(new string('x', 60) + "…", Printable.Excerpt(new string('x', 61)));
        Assert.Equal(new string('x', 60), Printable.Excerpt(new string('x', 60)));
        Assert.Equal("abc…", Printable.Excerpt("abc😀", 4));
        Assert.Equal("abc…", Printable.Excerpt("abc\u001b", 8));
    }

    [Fact]
    public void Text_of_several_lines_keeps_them_and_nothing_else_that_a_terminal_obeys()
        => Assert.Equal("a\n\tb\\u001b[2J\\r\u200dc", Printable.Lines("a\n\tb\u001b[2J\r\u200dc"));

    [Theory]
    [InlineData("1", "2", "1 → 2")]
    [InlineData("", "a\n", " → a\\n")]
    public void A_change_of_short_texts_has_both_whole(string before, string after, string expected)
        => Assert.Equal(expected, Printable.Change(before, after));

    [Fact]
    public void A_change_of_long_texts_shows_where_they_differ()
    {
        var files = string.Join(", ", Enumerable.Range(0, 1000).Select(i => $"corpus-{i}.txt"));
        var change = Printable.Change(files + ", old.txt", files + ", new.txt");
        Assert.Contains("old.txt → ", change, StringComparison.Ordinal);
        Assert.EndsWith("new.txt", change, StringComparison.Ordinal);
        Assert.InRange(change.Length, 20, 2 * Printable.LongestExcerpt);
        Assert.InRange(Printable.Change(files, "x" + files).Length, 20, (2 * Printable.LongestExcerpt) + 10);
    }
}
