using AnTransformer.Benchmarks;
using BenchmarkDotNet.Running;

// Comparisons that must be interleaved in one process are programs of their own; everything else runs on BenchmarkDotNet.
if (args is ["products", .. var sizes])
    return ProductBenchmark.Run(sizes);
if (args is ["serve", .. var server] && server.Length > 0)
    return await ServerBenchmark.RunAsync(server);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
