using System.Text;
using System.Text.Json;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Training.Tests.Data;

public sealed class JsonDocumentsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("{\"score\":NaN,\"text\":\"NaN \\\" NaN\",\"x\":[Infinity,-Infinity]}", "NaN \" NaN")]
    [InlineData("{\"x\":{\"y\":NaN},\"text\":\"a\"}", "a")]
    public void Numbers_that_only_Python_writes_do_not_matter(string line, string expected) => Assert.Equal([expected], Lines(line));

    [Theory]
    [InlineData("{\"text\":NaN}", "no string")]
    [InlineData("{\"x\":NaNa,\"text\":\"a\"}", "not valid JSON")]
    [InlineData("{\"x\":undefined,\"text\":\"a\"}", "not valid JSON")]
    public void Other_words_are_still_no_JSON(string line, string words) => AssertRefused("a.jsonl", line, "line 1", words);

    [Fact]
    public void A_lone_surrogate_is_replaced_in_names_as_in_texts()
    {
        AssertRefused("a.jsonl", "{\"te\\ud800xt\":\"a\"}", "line 1", "no field");
        Assert.Equal(["a"], Lines("{\"\\ud800\":1,\"x\\udfff\":{\"\\ud800\\ud800\":\"\\udc00\"},\"te\\u0078t\":\"a\"}"));
        Assert.Equal(["\uFFFDa"], Lines("{\"text\":\"\\udc00a\"}"));
    }

    [Fact]
    public void A_field_nested_to_any_depth_is_skipped()
    {
        var deep = new string('[', 200_000) + new string(']', 200_000);
        Assert.Equal(["a"], Lines($"{{\"x\":{deep},\"text\":\"a\"}}"));
        AssertRefused("a.jsonl", $"{{\"x\":{deep[1..]},\"text\":\"a\"}}", "not valid JSON");
    }

    [Fact]
    public void A_JSON_file_is_lines_or_one_array()
    {
        Assert.Equal(["a", "b"], Read(_directory.Write("lines.json", "\n {\"text\":\"a\"}\n{\"text\":\"b\"}")));
        Assert.Equal(["a", "}]\"", "c"], Read(_directory.Write(
            "list.json", " [ {\"text\":\"a\",\"x\":[{}]} ,\n{\n \"text\": \"}]\\\"\"\n},{\"text\":null},{\"text\":\"c\",\"y\":NaN}]\n ")));
        Assert.Empty(Read(_directory.Write("empty.json", "[ ]")));
        var texts = Enumerable.Range(0, 30_000).Select(i => new string('x', i % 97) + "\\\"" + i).ToArray();
        var array = "[" + string.Join(",", texts.Select(text => JsonSerializer.Serialize(new { text }))) + "]";
        Assert.Equal(texts, Read(_directory.Write("long.json", array)));
    }

    [Theory]
    [InlineData("[{\"text\":\"a\"},", "after element 1")]
    [InlineData("[{\"text\":\"a\"}", "after element 1")]
    [InlineData("[{\"text\":\"a\"} {\"text\":\"b\"}]", "after element 1")]
    [InlineData("[{\"text\":\"a\"},{\"text\":\"b", "element 2")]
    [InlineData("[{\"text\":\"a\"},\"b\"]", "element 2", "not a JSON object")]
    [InlineData("[{\"text\":\"a\"},]", "element 2", "not a JSON object")]
    [InlineData("[{\"text\":\"a\"}] []", "more than the end of the array")]
    [InlineData("[{\"text\":3}]", "element 1", "no string")]
    [InlineData("[{\"text\":\"a\"]}", "element 1", "not valid JSON")]
    [InlineData("{\n\"text\": \"a\"\n}", "line 1", "not valid JSON")]
    public void A_malformed_array_is_refused_with_the_place(string json, params string[] words) => AssertRefused("a.json", json, words);

    [Fact]
    public void An_array_of_another_file_is_no_line() => AssertRefused("a.jsonl", "[{\"text\":\"a\"}]", "line 1", "not a JSON object");

    [Theory]
    [InlineData("a.jsonl", "{\"text\":\"", "\"}\n")]
    [InlineData("a.json", "[{\"text\":\"", "\"}]")]
    public void A_document_above_the_limit_is_refused_before_it_fills_memory(string name, string before, string after)
    {
        var path = _directory.Write(name, before + new string('x', 3_000_000) + after);
        var options = new DocumentSourceOptions { MaxDocumentBytes = 1_000_000 };
        var message = Assert.Throws<InvalidInputException>(() => DocumentSource.Read([path], options).ToList()).Message;
        Assert.Contains("more than 1000000 bytes", message, StringComparison.Ordinal);
        Assert.Contains("--max-document-bytes", message, StringComparison.Ordinal);
        Assert.Single(DocumentSource.Read([path]));
    }

    private List<string> Lines(string line) => Read(_directory.Write("lines.jsonl", line + "\n"));

    private static List<string> Read(string path) =>
        [.. DocumentSource.Read([path]).Select(document => Encoding.UTF8.GetString(document.Text.Span))];

    private void AssertRefused(string name, string content, params string[] words)
    {
        var path = _directory.Write(name, content);
        var message = Assert.Throws<InvalidInputException>(() => Read(path)).Message;
        Assert.All([path, .. words], word => Assert.Contains(word, message, StringComparison.Ordinal));
    }
}
