using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("AnTransformer.Training.Tests")]
