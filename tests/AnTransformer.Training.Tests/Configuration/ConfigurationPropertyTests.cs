using System.Text;
using AnTransformer.Training.Configuration;
using CsCheck;

namespace AnTransformer.Training.Tests.Configuration;

public sealed class ConfigurationPropertyTests
{
    // Every character that UTF-8 and YAML can carry; surrogates only in pairs.
    private static readonly Gen<string> Text = Gen.Int[0, 0x10ffff]
        .Where(Rune.IsValid)
        .Select(code => new Rune(code).ToString())
        .Array[0, 8]
        .Select(parts => string.Concat(parts));

    private static readonly Gen<string> Awkward = AnyOf(
        "", " ", "null", "~", "true", "no", "1e3", "0x10", "12:30", "2020-01-01", "-", "- a", "a: b", "a #b", "a:", "a,b", "#",
        "'", "\"", "\\", "\n", "a\tb", "\0", "a\u0085b", "\u2028", "\ufeff", "🙂", "[a]", "{", "*a", "&a", "!a",
        "%a", "@a", "`a", "?", "..", "...", "---");

    private static readonly Gen<string> AnyText = Gen.OneOf(Text, Awkward, Gen.String[Gen.Char['!', '~'], 0, 12]);

    private static readonly Gen<double> Finite = Gen.Double.Where(double.IsFinite);

    private static readonly Gen<Sample> Samples =
        from name in AnyText
        from whole in Gen.Int[1, int.MaxValue]
        from maybeWhole in Gen.Int.Nullable()
        from large in Gen.Long
        from fraction in Gen.Double[0, 0.999]
        from maybeReal in Finite.Nullable()
        from flag in Gen.Bool
        from choices in Choices
        select new Sample
        {
            Name = name,
            Numbers = new()
            {
                WholeNumber = whole,
                MaybeWhole = maybeWhole,
                Large = large,
                Fraction = fraction,
                MaybeReal = maybeReal,
                Deep = new() { Flag = flag },
            },
            Choices = choices,
        };

    private static Gen<Sample.ChoiceSection> Choices =>
        from color in Gen.Enum<Color>()
        from maybeColor in Gen.Enum<Color>().Nullable()
        from text in AnyText.Null()
        from maybeFlag in Gen.Bool.Nullable()
        from paths in AnyText.List[0, 4]
        select new Sample.ChoiceSection
        {
            Color = color,
            MaybeColor = maybeColor,
            MaybeText = text,
            MaybeFlag = maybeFlag,
            Paths = paths,
        };

    [Fact]
    public void Reading_what_was_written_gives_an_equal_configuration()
        => Samples.Sample(sample =>
        {
            var yaml = ConfigurationBinder.Write(sample);
            var read = ConfigurationBinder.Parse<Sample>(yaml, "x.yaml", []);
            AssertEqual(sample, read);
            Assert.Equal(yaml, ConfigurationBinder.Write(read));
            var differences = ConfigurationBinder.WriteDifferences(sample);
            AssertEqual(sample, ConfigurationBinder.Parse<Sample>(differences, "x.yaml", []));
        });

    [Fact]
    public void Overriding_the_fields_that_differ_gives_an_equal_configuration()
        => Samples.Where(sample => sample.Choices.MaybeText != "null").Sample(sample =>
        {
            var fields = ConfigurationBinder.Fields(typeof(Sample)).ToDictionary(field => field.Key);
            var overrides = ConfigurationBinder.Differences(new Sample(), sample, includeChangeable: true)
                .Select(difference => (difference.Key, fields[difference.Key].Get(sample) as string ?? difference.After))
                .ToList();
            AssertEqual(sample, ConfigurationBinder.Parse<Sample>("", "x.yaml", overrides));
        });

    [Fact]
    public void Damaged_files_are_read_or_refused_with_one_sentence()
    {
        var yaml = ConfigurationBinder.Write(new TrainingConfiguration { Data = { Path = "data" }, Training = { Steps = 10 } });
        var inserted = AnyOf("", ":", "[", "{", "\"", "\t", "&", "*", "!", "|", ">", "-", "?", "%", "\n", "1", ",", "]", "}");
        var damage = Gen.Select(Gen.Int[0, yaml.Length - 1], Gen.Int[0, 4], inserted);
        damage.Array[1, 4].Sample(
            edits =>
            {
                var damaged = new StringBuilder(yaml);
                foreach (var (at, removed, added) in edits)
                {
                    var start = Math.Min(at, damaged.Length);
                    damaged.Remove(start, Math.Min(removed, damaged.Length - start)).Insert(start, added);
                }

                try
                {
                    ConfigurationBinder.Parse<TrainingConfiguration>(damaged.ToString(), "x.yaml", []);
                }
                catch (InvalidInputException e)
                {
                    Assert.StartsWith("x.yaml", e.Message, StringComparison.Ordinal);
                    Assert.DoesNotContain('\n', e.Message);
                }
            },
            iter: 3000);
    }

    private static Gen<string> AnyOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static void AssertEqual(Sample expected, Sample actual)
    {
        foreach (var field in ConfigurationBinder.Fields(typeof(Sample)))
            Assert.Equal(field.Get(expected), field.Get(actual));
    }
}
