using System.Diagnostics;
using System.Globalization;
using AnTransformer.Inference;
using AnTransformer.LlamaComparison;

// Decoding and prefill of the same model by llama.cpp and by AnTransformer.Inference, in interleaved rounds:
//   dotnet run -c Release --project benchmarks/AnTransformer.LlamaComparison -- MODEL.gguf CHECKPOINT [f32|bf16|q8] [ROUNDS] [THREADS] [--no-mmap]
const int Prompt = 64;
const int Tokens = 256;
const int Prefill = 512;
var isMapped = !args.Contains("--no-mmap");
args = [.. args.Where(word => word != "--no-mmap")];
if (args.Length < 2)
{
    Console.Error.WriteLine("Give a GGUF file, the directory of the checkpoint that it was exported from (run/checkpoints/step-…), and optionally f32, bf16 or q8, rounds, threads, --no-mmap.");
    return 2;
}

var dtype = args.Length > 2 ? Enum.Parse<WeightDtype>(args[2], ignoreCase: true) : WeightDtype.F32;
var rounds = args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : 5;
var threads = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : Environment.ProcessorCount;
using var own = new OwnKernels(args[1], dtype, threads, isMapped);
using var llama = new LlamaCpp(args[0], threads, Prefill);
IContestant[] contestants = [own, llama];
var random = new Random(1);
var text = Enumerable.Range(0, Prefill).Select(_ => random.Next(own.VocabSize)).ToArray();
var prefill = contestants.ToDictionary(contestant => contestant, _ => new List<double>());
var decode = contestants.ToDictionary(contestant => contestant, _ => new List<double>());
var drawn = contestants.ToDictionary(contestant => contestant, _ => new List<int>());
for (var round = 0; round <= rounds; round++)
{
    foreach (var contestant in contestants)
    {
        contestant.Reset();
        var clock = Stopwatch.StartNew();
        contestant.Read(text);
        var seconds = clock.Elapsed.TotalSeconds;
        contestant.Reset();
        var next = contestant.Read(text.AsSpan(0, Prompt));
        drawn[contestant].Clear();
        clock.Restart();
        for (var i = 0; i < Tokens; i++)
        {
            drawn[contestant].Add(next);
            next = contestant.Read([next]);
        }

        if (round == 0)
            continue;       // warm-up
        prefill[contestant].Add(Prefill / seconds);
        decode[contestant].Add(Tokens / clock.Elapsed.TotalSeconds);
    }
}

foreach (var contestant in contestants)
{
    Console.WriteLine(
        $"{contestant.Name,-20} prefill {Median(prefill[contestant]):f0} ({prefill[contestant].Min():f0} - {prefill[contestant].Max():f0}) "
        + $"decode {Median(decode[contestant]):f1} ({decode[contestant].Min():f1} - {decode[contestant].Max():f1}) tokens/s");
}

var same = drawn[own].Zip(drawn[llama]).TakeWhile(pair => pair.First == pair.Second).Count();
Console.WriteLine($"greedy tokens that agree from the first on: {same} of {Tokens}");
Console.WriteLine(
    $"ratios, round by round: prefill {Median([.. prefill[own].Zip(prefill[llama], (a, b) => a / b)]):f2}, "
    + $"decode {Median([.. decode[own].Zip(decode[llama], (a, b) => a / b)]):f2}");
return 0;

static double Median(List<double> values)
{
    var sorted = values.Order().ToList();
    return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
}
