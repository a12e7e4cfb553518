using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

/// <summary>Which configurations may train on a directory of prepared data.</summary>
public sealed class PreparationSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("angpt-settings-").FullName;

    private string Settings => Path.Combine(_folder, "data", "settings.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Data_are_there_with_their_settings_or_not_at_all()
    {
        // Bytes that are not UTF-8 are warned of when all shards are written: the process dies between these steps.
        var configuration = Configuration();
        File.AppendAllBytes(configuration.Data.Text[0], [0xFF, (byte)'\n']);
        Assert.Throws<KillException>(() => Open(configuration, new Listener(onWarning: _ => throw new KillException())));
        Assert.True(File.Exists(Settings) || !Directory.Exists(Path.Combine(_folder, "data")));
        configuration.Data.SectionBytes = 64;
        var message = Assert.Throws<InvalidInputException>(() => Open(configuration, new Listener())).Message;
        Assert.Contains("data.section_bytes: 512 → 64", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stop_at_any_moment_of_preparation_leaves_nothing_that_counts()
    {
        var configuration = Configuration();
        Assert.Throws<KillException>(() => Open(configuration, new Listener(onProgress: () => throw new KillException())));
        Assert.False(Directory.Exists(Path.Combine(_folder, "data")));
        Open(configuration, new Listener());
        Assert.True(File.Exists(Settings));
    }

    [Fact]
    public void Data_without_settings_are_refused_when_there_is_text_to_prepare()
    {
        var configuration = Configuration();
        Open(configuration, new Listener());
        File.Delete(Settings);
        var before = Directory.GetFiles(Path.Combine(_folder, "data")).Order();

        var message = Assert.Throws<InvalidInputException>(() => Open(configuration, new Listener())).Message;
        Assert.Contains("has no settings.json", message, StringComparison.Ordinal);
        Assert.Contains("--data.text []", message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(Path.Combine(_folder, "data")).Order());

        configuration.Data.Text = [];
        Open(configuration, new Listener());
    }

    [Fact]
    public void Every_setting_counts_and_is_named()
    {
        Open(Configuration(), new Listener());
        Open(Configuration(), new Listener());
        AssertRefused("data.text:", c => c.Data.Text = [.. c.Data.Text, "other.txt"]);
        AssertRefused("data.validation_fraction: 0.1 → 0.2", c => c.Data.ValidationFraction = 0.2);
        AssertRefused("data.text_field: text → body", c => c.Data.TextField = "body");
        AssertRefused("tokenizer.kind: bytes → bpe", c => c.Tokenizer.Kind = TokenizerKind.Bpe);
        AssertRefused("tokenizer.vocab_size: 4096 → 300", c => c.Tokenizer.VocabSize = 300);
        AssertRefused("tokenizer.path: null → t.json", c => c.Tokenizer.Path = "t.json");

        void AssertRefused(string difference, Action<TrainingConfiguration> change)
        {
            var configuration = Configuration();
            change(configuration);
            var message = Assert.Throws<InvalidInputException>(() => Open(configuration, new Listener())).Message;
            Assert.Contains(difference, message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"text\": [null]}")]
    [InlineData("{\"te\\ud800xt\": 1}")]
    [InlineData("{\"text\": [\"\\ud800\"], \"validation_fraction\": 1e999}")]
    [InlineData("\0\0\0\0")]
    public void Damaged_settings_are_refused(string content)
    {
        Open(Configuration(), new Listener());
        File.WriteAllText(Settings, content);
        var message = Assert.Throws<InvalidInputException>(() => Open(Configuration(), new Listener())).Message;
        Assert.Contains(Settings, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Preparation_takes_an_empty_directory_and_leaves_others_alone()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "data"));
        Open(Configuration(), new Listener());
        Assert.True(File.Exists(Settings));

        var configuration = Configuration();
        configuration.Data.Path = Path.Combine(_folder, "home");
        Directory.CreateDirectory(configuration.Data.Path);
        File.WriteAllText(Path.Combine(configuration.Data.Path, "mine"), "mine");
        Assert.Contains("settings.json", Assert.Throws<InvalidInputException>(() => Open(configuration, new Listener())).Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(configuration.Data.Path, "mine")));
    }

    [Theory]
    [InlineData(512, null)]
    [InlineData(64, "data.section_bytes: 64 → 512")]
    public void Data_that_another_process_makes_meanwhile_count_as_if_they_had_been_there(int otherSectionBytes, string? refusal)
    {
        var others = 0;
        void Other()
        {
            if (others++ > 0)
                return;
            var other = Configuration();
            other.Data.SectionBytes = otherSectionBytes;
            Open(other, new Listener());
        }

        // The first message comes when it is known that nothing is there, and before the directory is claimed.
        var failure = Record.Exception(() => Open(Configuration(), new Listener(onMessage: Other)));
        Assert.NotEqual(0, others);
        if (refusal is null)
            Assert.Null(failure);
        else
            Assert.Contains(refusal, Assert.IsType<InvalidInputException>(failure).Message, StringComparison.Ordinal);
    }

    private static void Open(TrainingConfiguration configuration, ITrainingListener listener)
        => TrainingData.Open(configuration, listener, TestContext.Current.CancellationToken).Dispose();

    private TrainingConfiguration Configuration()
    {
        var text = Path.Combine(_folder, "text.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Range(0, 300).Select(i => $"line {i} says {i * 7 % 13}.\n\n")));
        return new TrainingConfiguration
        {
            Data = { Text = [text], Path = Path.Combine(_folder, "data"), SectionBytes = 512, ValidationFraction = 0.1 },
            Tokenizer = { Kind = TokenizerKind.Bytes },
        };
    }

    private sealed class KillException : Exception;

    private sealed class Listener(
        Action<string>? onWarning = null, Action? onProgress = null, Action? onMessage = null) : ITrainingListener
    {
        public void OnMessage(string message) => onMessage?.Invoke();

        public void OnWarning(string message) => onWarning?.Invoke(message);

        public void OnProgress(string task, double share, string detail) => onProgress?.Invoke();

        public void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
        {
        }

        public void OnStep(StepReport report)
        {
        }

        public void OnEvaluation(long step, EvaluationResult result, bool isBest)
        {
        }
    }
}
