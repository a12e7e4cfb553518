using AnTransformer.Training.Configuration;

namespace AnTransformer.Training.Tests.Configuration;

public sealed class ConfigurationBinderTests
{
    [Fact]
    public void Values_of_every_kind_are_bound()
    {
        var sample = Bind("""
            # a comment
            name: "quoted: # text"
            numbers:
              whole_number: 1_000_000
              maybe_whole: 12
              large: 1e15
              fraction: 1e-3
              maybe_real: -.5
              deep: {flag: true}
            choices:
              color: deep_blue
              maybe_color: red
              maybe_text: 17
              maybe_flag: false
              paths: [a.txt, "b c.txt", 3]
            """);
        Assert.Equal("quoted: # text", sample.Name);
        Assert.Equal(1_000_000, sample.Numbers.WholeNumber);
        Assert.Equal(12, sample.Numbers.MaybeWhole);
        Assert.Equal(1_000_000_000_000_000, sample.Numbers.Large);
        Assert.Equal(0.001, sample.Numbers.Fraction);
        Assert.Equal(-0.5, sample.Numbers.MaybeReal);
        Assert.True(sample.Numbers.Deep.Flag);
        Assert.Equal(Color.DeepBlue, sample.Choices.Color);
        Assert.Equal(Color.Red, sample.Choices.MaybeColor);
        Assert.Equal("17", sample.Choices.MaybeText);
        Assert.False(sample.Choices.MaybeFlag);
        Assert.Equal(["a.txt", "b c.txt", "3"], sample.Choices.Paths);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing but a comment\n")]
    [InlineData("---\n...\n")]
    [InlineData("numbers:\nchoices: ~\n")]
    public void What_is_not_given_keeps_its_default(string yaml)
        => Assert.Equal(ConfigurationBinder.Write(new Sample()), ConfigurationBinder.Write(Bind(yaml)));

    [Theory]
    [InlineData("null")]
    [InlineData("~")]
    [InlineData("")]
    public void Null_empties_optional_fields(string text)
    {
        var sample = Bind(
            $"numbers: {{maybe_whole: {text}, maybe_real: {text}}}\nchoices: {{maybe_text: {text}, maybe_color: {text}}}");
        Assert.Null(sample.Numbers.MaybeWhole);
        Assert.Null(sample.Numbers.MaybeReal);
        Assert.Null(sample.Choices.MaybeText);
        Assert.Null(sample.Choices.MaybeColor);
    }

    [Theory]
    [InlineData("'null'", "null")]
    [InlineData("''", "")]
    [InlineData("true", "true")]
    [InlineData("1e-3", "1e-3")]
    public void Texts_stay_as_written(string yaml, string expected)
        => Assert.Equal(expected, Bind($"choices:\n  maybe_text: {yaml}").Choices.MaybeText);

    [Fact]
    public void One_path_is_a_list_of_one() => Assert.Equal(["a.txt"], Bind("choices:\n  paths: a.txt").Choices.Paths);

    [Theory]
    // Keys.
    [InlineData("numbers:\n  fractoin: 1", "x.yaml:2:3: unknown key 'numbers.fractoin'; did you mean 'fraction'?")]
    [InlineData("numbrs:\n  fraction: 1", "x.yaml:1:1: unknown key 'numbrs'; did you mean 'numbers'?")]
    [InlineData("fraction: 1", "x.yaml:1:1: unknown key 'fraction'; did you mean 'numbers.fraction'?")]
    [InlineData("choices:\n  maybe_reel: 1", "x.yaml:2:3: unknown key 'choices.maybe_reel'; did you mean 'maybe_text'?")]
    [InlineData(
        "choices:\n  zzzzzzzzzzzz: 1",
        "x.yaml:2:3: unknown key 'choices.zzzzzzzzzzzz'; it must be one of color, maybe_color, architecture, "
        + "maybe_text, maybe_flag, paths.")]
    [InlineData("numbers:\n  deep:\n    flagg: 1", "x.yaml:3:5: unknown key 'numbers.deep.flagg'; did you mean 'flag'?")]
    [InlineData(
        "name: a\nnumbers: {}\nname: b",
        "x.yaml:3:1: duplicate key 'name', first given at x.yaml:1:1; remove one of them.")]
    [InlineData(
        "numbers:\n  large: 1\n  large: 1",
        "x.yaml:3:3: duplicate key 'large', first given at x.yaml:2:3; remove one of them.")]
    [InlineData("? [a]\n: 1", "x.yaml:1:3: a key must be a plain name, not a list or mapping.")]
    // Types.
    [InlineData(
        "numbers:\n  whole_number: 1.5",
        "x.yaml:2:17: 'numbers.whole_number' must be a whole number greater than 0, not '1.5'.")]
    [InlineData(
        "numbers:\n  whole_number: many",
        "x.yaml:2:17: 'numbers.whole_number' must be a whole number greater than 0, not 'many'.")]
    [InlineData(
        "numbers:\n  whole_number: \"5\"",
        "x.yaml:2:17: 'numbers.whole_number' must be a whole number greater than 0, not the text \"5\" in quotes.")]
    [InlineData(
        "numbers:\n  whole_number: [1]",
        "x.yaml:2:17: 'numbers.whole_number' must be a whole number greater than 0, not a list.")]
    [InlineData(
        "numbers:\n  whole_number:",
        "x.yaml:2:16: 'numbers.whole_number' must be a whole number greater than 0, not null.")]
    [InlineData("numbers:\n  maybe_real: 1,5", "x.yaml:2:15: 'numbers.maybe_real' must be a number or null, not '1,5'.")]
    [InlineData("numbers:\n  maybe_real: .nan", "x.yaml:2:15: 'numbers.maybe_real' must be a number or null, not '.nan'.")]
    [InlineData("numbers:\n  maybe_real: 1e999", "x.yaml:2:15: 'numbers.maybe_real' must be a number or null, not '1e999'.")]
    [InlineData("numbers:\n  maybe_real: 1__0", "x.yaml:2:15: 'numbers.maybe_real' must be a number or null, not '1__0'.")]
    [InlineData(
        "numbers:\n  large: 9223372036854775808",
        "x.yaml:2:10: 'numbers.large' must be a whole number, not '9223372036854775808'.")]
    [InlineData("numbers:\n  deep: {flag: yes}", "x.yaml:2:16: 'numbers.deep.flag' must be true or false, not 'yes'.")]
    [InlineData("numbers: 3", "x.yaml:1:10: 'numbers' must be a mapping of keys to values, not '3'.")]
    [InlineData("- a", "x.yaml:1:1: a configuration must be a mapping of keys to values, not a list.")]
    [InlineData("name: {a: b}", "x.yaml:1:7: 'name' must be a text, not a mapping.")]
    [InlineData(
        "choices:\n  paths: [[a]]",
        "x.yaml:2:11: 'choices.paths' must be a text or a list of texts, not a list within the list.")]
    // Ranges and values.
    [InlineData(
        "numbers:\n  whole_number: 0",
        "x.yaml:2:17: 'numbers.whole_number' must be a whole number greater than 0, not '0'.")]
    [InlineData("numbers:\n  whole_number: 3e9", "x.yaml:2:17: 'numbers.whole_number' must be at most 2147483647, not '3e9'.")]
    [InlineData(
        "numbers:\n  fraction: 1",
        "x.yaml:2:13: 'numbers.fraction' must be a number at least 0 and less than 1, not '1'.")]
    [InlineData(
        "choices:\n  color: deep_blu",
        "x.yaml:2:10: 'choices.color' must be one of red, deep_blue, not 'deep_blu'; did you mean 'deep_blue'?")]
    [InlineData("choices:\n  color: 1", "x.yaml:2:10: 'choices.color' must be one of red, deep_blue, not '1'.")]
    [InlineData(
        "choices:\n  architecture: mamba2",
        "x.yaml:2:17: 'choices.architecture' must be one of gpt, gpt+, not 'mamba2'.")]
    // Fields that do not fit together.
    [InlineData(
        "choices:\n  color: deep_blue\n  architecture: gpt+",
        "x.yaml:2:10: gpt+ cannot be deep blue; choose another color.")]
    // What configurations have no use for.
    [InlineData("name: &a b", null)]
    [InlineData("name: *a", "x.yaml:1:7: the alias '*a' is not supported in configurations; write the value out.")]
    [InlineData("name: !!str b", "x.yaml:1:7: the tag 'tag:yaml.org,2002:str' is not supported in configurations; remove it.")]
    [InlineData(
        "name: a\n---\nname: b",
        "x.yaml:2:1: a second document begins here; a configuration is one document, so remove the '---'.")]
    public void Errors_give_place_cause_and_remedy(string yaml, string? message)
    {
        if (message is null)
            Bind(yaml);
        else
            Assert.Equal(message, ErrorOf(yaml));
    }

    [Theory]
    [InlineData("numbers: [1", 2)]
    [InlineData("name: a\n\tnumbers: b", 1)]
    [InlineData("choices:\n  paths: [a\n  color: red\n", 2)]
    [InlineData("name: \"a", 1)]
    [InlineData("name: a\n  fraction: b", 2)]
    public void Malformed_yaml_is_one_sentence_with_a_place(string yaml, int line)
    {
        var message = ErrorOf(yaml);
        Assert.StartsWith($"x.yaml:{line}:", message, StringComparison.Ordinal);
        Assert.Contains("not valid YAML (", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Long_values_of_several_lines_are_quoted_in_part()
        => Assert.Equal(
            $"x.yaml:2:10: 'choices.color' must be one of red, deep_blue, not 'first\\n{new string('x', 53)}…'.",
            ErrorOf("choices:\n  color: |\n    first\n    " + new string('x', 500)));

    [Fact]
    public void Deep_nesting_is_refused_without_exhausting_the_stack()
        => Assert.Contains("nested too deeply", ErrorOf("name: " + new string('[', 100_000)), StringComparison.Ordinal);

    [Fact]
    public void Overrides_replace_what_the_file_says_and_the_last_one_wins()
    {
        var sample = Bind(
            "numbers:\n  large: 1\nchoices:\n  paths: [a]",
            ("numbers.large", "2"), ("numbers.large", "3"), ("numbers.whole-number", "1_000"), ("--numbers.fraction", "1e-3"),
            ("choices.maybe-text", "null"), ("name", ""), ("choices.paths", "b, c"), ("choices.color", "deep_blue"),
            ("flag", "true"));
        Assert.Equal(3, sample.Numbers.Large);
        Assert.Equal(1000, sample.Numbers.WholeNumber);
        Assert.Equal(0.001, sample.Numbers.Fraction);
        Assert.Null(sample.Choices.MaybeText);
        Assert.Equal("", sample.Name);
        Assert.Equal(["b", "c"], sample.Choices.Paths);
        Assert.Equal(Color.DeepBlue, sample.Choices.Color);
        Assert.True(sample.Numbers.Deep.Flag);
    }

    [Fact]
    public void A_list_override_in_brackets_may_hold_commas()
        => Assert.Equal(["a,b", "c"], Bind("", ("choices.paths", "[\"a,b\", c]")).Choices.Paths);

    [Theory]
    [InlineData(
        "numbers.fractoin",
        "1",
        "--numbers.fractoin: unknown field 'numbers.fractoin'; did you mean 'numbers.fraction'?")]
    [InlineData("fractoin", "1", "--fractoin: unknown field 'fractoin'; did you mean 'numbers.fraction'?")]
    [InlineData(
        "numbers.fraction",
        "2",
        "--numbers.fraction: 'numbers.fraction' must be a number at least 0 and less than 1, not '2'.")]
    [InlineData(
        "numbers.whole-number",
        "",
        "--numbers.whole-number: 'numbers.whole_number' must be a whole number greater than 0, not ''.")]
    [InlineData(
        "choices.color",
        "red ",
        "--choices.color: 'choices.color' must be one of red, deep_blue, not 'red '; did you mean 'red'?")]
    [InlineData("choices.paths", "[a", "--choices.paths:2:1: not valid YAML (")]
    public void Errors_in_overrides_name_the_option(string key, string value, string message)
        => Assert.StartsWith(message, ErrorOf("", (key, value)), StringComparison.Ordinal);

    [Fact]
    public void Fields_that_do_not_fit_together_name_the_option_that_broke_them()
    {
        var message = ErrorOf("choices:\n  color: deep_blue", ("choices.architecture", "gpt+"));
        Assert.Equal("--choices.architecture: gpt+ cannot be deep blue; choose another color.", message);
    }

    [Fact]
    public void Fields_document_themselves()
    {
        var fields = ConfigurationBinder.Fields(typeof(Sample)).ToDictionary(field => field.Key);
        Assert.Equal(
            ["name", "numbers.whole_number", "numbers.maybe_whole", "numbers.large", "numbers.fraction", "numbers.maybe_real",
                "numbers.deep.flag"],
            fields.Keys.Take(7));
        var fraction = fields["numbers.fraction"];
        Assert.Equal("at least 0 and less than 1", fraction.Range);
        Assert.Equal(0.5, fraction.Default);
        Assert.Equal(typeof(double), fraction.Type);
        Assert.Equal("number", fraction.TypeName);
        Assert.True(fraction.MayChangeOnResume);
        Assert.False(fraction.IsNullable);
        Assert.Equal("A name.", fields["name"].Description);
        Assert.Null(fields["name"].Range);
        Assert.Equal("red|deep_blue", fields["choices.color"].TypeName);
        Assert.Equal(["gpt", "gpt+"], fields["choices.architecture"].Values);
        Assert.True(fields["choices.maybe_text"].IsNullable);
        Assert.False(fields["choices.paths"].IsNullable);
        Assert.Equal("numbers.deep", fields["numbers.deep.flag"].SectionName);
        var sample = new Sample { Name = "here" };
        Assert.Equal("here", fields["name"].Get(sample));
    }

    [Fact]
    public void Differences_list_keys_and_values_without_those_that_may_change()
    {
        var before = new Sample();
        var after = new Sample { Name = "other" };
        after.Numbers.Fraction = 0.25;
        after.Choices.Paths.Add("a b");
        Assert.Equal(
            ["name: default → other", "choices.paths: [] → [\"a b\"]"],
            ConfigurationBinder.Differences(before, after).Select(difference => difference.ToString()));
        var all = ConfigurationBinder.Differences(before, after, includeChangeable: true);
        Assert.Contains(new ConfigurationDifference("numbers.fraction", "0.5", "0.25", MayChangeOnResume: true), all);
        Assert.Empty(ConfigurationBinder.Differences(after, after, includeChangeable: true));
    }

    [Fact]
    public void Unreadable_files_are_one_sentence()
    {
        using var folder = new TemporaryFolder();
        var missing = folder.File("missing.yaml");
        Assert.Equal($"{missing}: no such file; give the path of a YAML configuration file.", Error(missing));
        Assert.Equal($"{folder.Path}: is a directory; give the path of a YAML configuration file.", Error(folder.Path));
        var binary = folder.File("binary.yaml");
        File.WriteAllBytes(binary, [0x6e, 0xff, 0xfe, 0x00]);
        Assert.Equal($"{binary}: is not UTF-8 text; give the path of a YAML configuration file.", Error(binary));

        static string Error(string path)
            => Assert.Throws<InvalidInputException>(() => ConfigurationBinder.Load<Sample>(path, [])).Message;
    }

    [Fact]
    public void Files_may_begin_with_a_byte_order_mark_and_have_windows_line_ends()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("windows.yaml");
        File.WriteAllBytes(path, [0xef, 0xbb, 0xbf, .. "numbers:\r\n  large: 5\r\n"u8]);
        Assert.Equal(5, ConfigurationBinder.Load<Sample>(path, []).Numbers.Large);
    }

    private static string ErrorOf(string yaml, params (string Key, string Value)[] overrides)
        => Assert.Throws<InvalidInputException>(() => Bind(yaml, overrides)).Message;

    private static Sample Bind(string yaml, params (string Key, string Value)[] overrides)
        => ConfigurationBinder.Parse<Sample>(yaml, "x.yaml", overrides);
}
