using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using AnTransformer.Configuration;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// Scalars and their text, close to the core schema of YAML 1.2 (section 10.3): <c>true</c> and <c>false</c>, decimal
/// numbers, and besides <c>_</c> between digits and whole numbers such as <c>1e9</c>. Always in the invariant culture.
/// </summary>
internal static partial class ScalarText
{
    private const RegexOptions Options = RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant;
    // The patterns take linear time; a limit by the clock would fail on a machine that is busy.
    private const int TimeoutMilliseconds = Timeout.Infinite;

    private static readonly string[] NullTexts = ["", "~", "null", "Null", "NULL"];

    /// <summary>Whether a plain (unquoted) scalar means null.</summary>
    public static bool IsNull(string plain) => NullTexts.Contains(plain);

    /// <summary>Reads a value; null when the text does not denote one of that type.</summary>
    /// <param name="text">The text.</param>
    /// <param name="type">bool, int, long, double, string or an enum.</param>
    public static object? Parse(string text, Type type)
    {
        if (type == typeof(string))
            return text;
        if (type == typeof(bool))
            return text is "true" or "True" or "TRUE" ? true : text is "false" or "False" or "FALSE" ? false : null;
        if (type.IsEnum)
            return EnumSpelling.Find(type, text);
        if (!Number().IsMatch(text))
            return null;
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        if (type == typeof(double))
        {
            var number = double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture);
            return double.IsFinite(number) ? number : null;
        }

        if (ParseWhole(digits) is not { } whole)
            return null;
        if (type == typeof(long))
            return whole;
        return whole is >= int.MinValue and <= int.MaxValue ? (int)whole : null;
    }

    /// <summary>The YAML text of a value; <see cref="Parse"/> reads it back to an equal one.</summary>
    public static string ToYaml(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        double number => NumberText(number),
        string text => Quote(text),
        Enum word => EnumSpelling.Of(word),
        ConfigurationPatch patch => patch.ToString(),
        IList list => "[" + string.Join(", ", list.Cast<object>().Select(ToYaml)) + "]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>A C# name in the files' spelling: <c>LearningRate</c> is <c>learning_rate</c>.</summary>
    public static string SnakeCase(string name)
    {
        var snake = new StringBuilder();
        foreach (var c in name)
            snake.Append(char.IsUpper(c) && snake.Length > 0 ? "_" : "").Append(char.ToLowerInvariant(c));
        return snake.ToString();
    }

    private static long? ParseWhole(string digits)
    {
        if (long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return whole;
        // 1e9 and 5.0 are whole as well; decimal holds every long exactly.
        return decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number == decimal.Truncate(number) && number is >= long.MinValue and <= long.MaxValue
            ? (long)number
            : null;
    }

    private static string NumberText(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
        var exponent = text.IndexOf('e', StringComparison.Ordinal);
        // YAML 1.1 readers, PyYAML among them, take 1e-08 for a text; 1.0e-08 is a number to all.
        return exponent > 0 && !text.Contains('.', StringComparison.Ordinal) ? text.Insert(exponent, ".0") : text;
    }

    private static string Quote(string text)
    {
        if (SafePlain().IsMatch(text) && !IsNull(text) && !LooksTyped().IsMatch(text))
            return text;
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                _ when char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufeff' or '\ufffe' or '\uffff'
                    => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    [GeneratedRegex(
        @"^[-+]?([0-9]+(_[0-9]+)*(\.([0-9]+(_[0-9]+)*)?)?|\.[0-9]+(_[0-9]+)*)([eE][-+]?[0-9]{1,4})?\z",
        Options,
        TimeoutMilliseconds)]
    private static partial Regex Number();

    [GeneratedRegex(@"^[A-Za-z0-9_./]([A-Za-z0-9_./+:-]*[A-Za-z0-9_./+-])?\z", Options, TimeoutMilliseconds)]
    private static partial Regex SafePlain();

    // What another reader might take for a number, a date, a base-60 number or a truth value.
    [GeneratedRegex(@"^([0-9.].*|true|false|yes|no|on|off|y|n)\z", Options | RegexOptions.IgnoreCase,
        TimeoutMilliseconds)]
    private static partial Regex LooksTyped();
}
