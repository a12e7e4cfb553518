using AnTransformer.Cli;

return CommandLine.Run(args);
