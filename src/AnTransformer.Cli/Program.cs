using AnTransformer.Cli;
using AnTransformer.Cli.Streams;

// First of all, since whatever is loaded takes open files, too.
return OpenFileLimit.RefusesToStart() ? ExitCodes.InvalidInput : CommandLine.Run(args);
