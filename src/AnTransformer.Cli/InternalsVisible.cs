using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("AnTransformer.Cli.Tests")]
