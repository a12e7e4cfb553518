using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("AnTransformer.Training.Tests")]
[assembly: InternalsVisibleTo("AnTransformer.Export")]
[assembly: InternalsVisibleTo("AnTransformer.Export.Tests")]
[assembly: InternalsVisibleTo("AnTransformer.Studies")]
[assembly: InternalsVisibleTo("AnTransformer.Studies.Tests")]
