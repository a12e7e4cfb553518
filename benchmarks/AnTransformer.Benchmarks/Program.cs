using AnTransformer.Benchmarks;
using BenchmarkDotNet.Running;

// Comparisons that must be interleaved in one process are programs of their own; everything else runs on BenchmarkDotNet.
if (args is ["products", .. var sizes])
    return ProductBenchmark.Run(sizes);
if (args is ["serve", .. var server] && server.Length > 0)
    return await ServerBenchmark.RunAsync(server);
if (args is ["widths", var folder, .. var widths])
    return WidthBenchmark.Run(folder, widths);
if (args is ["steps", var count, .. var architectures])
    return FixedSteps.Run(count, architectures);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
