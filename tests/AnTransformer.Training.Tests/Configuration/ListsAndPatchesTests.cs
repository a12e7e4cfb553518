using AnTransformer.Training.Configuration;

namespace AnTransformer.Training.Tests.Configuration;

public sealed class ListsAndPatchesTests
{
    [Fact]
    public void Lists_of_numbers_are_read_from_files_and_options()
    {
        var lists = Parse("rates: [1e-3, 0.5]\nseeds: 7", ("names", "a, b"));
        Assert.Equal([1e-3, 0.5], lists.Rates);
        Assert.Equal([7L], lists.Seeds);
        Assert.Equal(["a", "b"], lists.Names);
        Assert.Equal([2.0, 4], Parse("", ("rates", "2,4")).Rates);
        Assert.Equal([1L, 2], Parse("", ("seeds", "[1, 2]")).Seeds);
    }

    [Theory]
    [InlineData("rates: [1e-3, x]", "s.yaml:1:15: 'rates' must be a number greater than 0 or a list of numbers, not 'x'.")]
    [InlineData("rates: [1e-3, 0]", "s.yaml:1:15: 'rates' must be a number greater than 0 or a list of numbers, not '0'.")]
    [InlineData("rates: [\"1\"]", "s.yaml:1:9: 'rates' must be a number greater than 0 or a list of numbers, not '1' within the list.")]
    [InlineData("seeds: [1.5]", "s.yaml:1:9: 'seeds' must be a whole number or a list of whole numbers, not '1.5'.")]
    [InlineData("patch: [1]", "s.yaml:1:8: 'patch' must be a mapping, not a list.")]
    [InlineData("patch: text", "s.yaml:1:8: 'patch' must be a mapping, not 'text'.")]
    public void Entries_are_checked_at_their_place(string yaml, string message)
        => Assert.Equal(message, Assert.Throws<InvalidInputException>(() => Parse(yaml)).Message);

    [Fact]
    public void A_patch_is_laid_over_a_configuration_and_keeps_its_places()
    {
        var patch = Parse("patch:\n  optimizer: {learning_rate: 2e-3}\n  data: {path: shards, text: [a, \"b, c\"]}\n  training:\n    steps: 5").Patch;
        var layers = new[] { ConfigurationBinder.ParsePatch("optimizer: {learning_rate: 1e-3, beta1: 0.8}", "low"), patch };
        var configuration = ConfigurationBinder.Compose<TrainingConfiguration>("all", layers, [("beta2", "0.9", "here")]);
        Assert.Equal((2e-3, 0.8, 0.9), (configuration.Optimizer.LearningRate, configuration.Optimizer.Beta1, configuration.Optimizer.Beta2));
        Assert.Equal(["a", "b, c"], configuration.Data.Text);

        Assert.StartsWith("here: 'optimizer.beta2' must be", Message(patch, ("beta2", "2", "here")), StringComparison.Ordinal);
        Assert.StartsWith("s.yaml:2:15: unknown key 'optimizer.rate'", Message(Parse("patch:\n  optimizer: {rate: 1}").Patch), StringComparison.Ordinal);
        Assert.StartsWith("all: data.path must name", Message(ConfigurationPatch.Empty), StringComparison.Ordinal);

        static string Message(ConfigurationPatch patch, params (string, string, string)[] overrides)
            => Assert.Throws<InvalidInputException>(() => ConfigurationBinder.Compose<TrainingConfiguration>("all", [patch], overrides)).Message;
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("rates: [0.5, 2]\nseeds: []\npatch: {model: {hidden_size: 64}, data: {text: [a, \"b: c\", \"1\"], path: \"x, y\"}, optimizer: {weight_decay: null}}")]
    [InlineData("names: [\"a long name: of many words that does not fit on one line\", \"another long name: of many words\", third]")]
    public void What_is_written_reads_back_to_the_same_text(string yaml)
    {
        var text = ConfigurationBinder.Write(Parse(yaml));
        Assert.Equal(text, ConfigurationBinder.Write(Parse(text)));
        Assert.Equal(Parse(yaml).Names, Parse(text).Names);
        Assert.Equal(Parse(yaml).Rates, Parse(text).Rates);
        Assert.Equal(Parse(yaml).Patch.ToString(), Parse(text).Patch.ToString());
    }

    [Fact]
    public void The_place_of_a_field_is_that_of_its_value_or_option_or_file()
    {
        ConfigurationBinder.Parse<Lists>("seeds: [3]", "s.yaml", [("rates", "1")], out var placeOf);
        Assert.Equal(("s.yaml:1:8", "--rates", "s.yaml"), (placeOf("seeds"), placeOf("rates"), placeOf("names")));
    }

    private static Lists Parse(string yaml, params (string Key, string Value)[] overrides) => ConfigurationBinder.Parse<Lists>(yaml, "s.yaml", overrides);

    private sealed class Lists
    {
        [Positive]
        public List<double> Rates { get; set; } = [1];

        public List<long> Seeds { get; set; } = [];

        public List<string> Names { get; set; } = [];

        public ConfigurationPatch Patch { get; set; } = ConfigurationPatch.Empty;
    }
}
