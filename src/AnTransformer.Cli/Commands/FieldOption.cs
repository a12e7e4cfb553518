using System.CommandLine;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary>An option that stands for a field of a configuration file.</summary>
internal sealed class FieldOption : Option<string?>
{
    /// <param name="field">The field.</param>
    /// <param name="name">What help calls the option.</param>
    /// <param name="aliases">Other spellings, which are accepted without being listed.</param>
    public FieldOption(ConfigurationField field, string name, IEnumerable<string> aliases)
        : base(name, [.. aliases])
    {
        Field = field;
        Description = field.Description;
        HelpName = field.TypeName;
    }

    public ConfigurationField Field { get; }
}
