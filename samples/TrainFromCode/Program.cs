// Trains anGPT from code, with nothing but the library: it learns to continue the squares modulo 61.
using AnTransformer.Architectures;
using AnTransformer.Generation;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

const int batch = 16, context = 32, steps = 60;

var config = ArchitectureRegistry.CreateConfig(
    "angpt", vocabSize: 64, hiddenSize: 64, numAttentionHeads: 4, numHiddenLayers: 2, maxPositionEmbeddings: context);
using var model = LanguageModel.Create(config, ModelContext.Default);
model.Initialize(seed: 1);
using var optimizer = new Optimizer(model);                          // the architecture's own clipping, decay, rates
var training = new TrainingStep(model, optimizer);
var schedule = LearningRateSchedule.For(config, peak: 3e-3, steps);  // and its warm-up

var squares = tensor(Enumerable.Range(0, (batch * context) + 1).Select(i => (long)i * i % 61).ToArray());
var (tokens, targets) = (squares[..^1].view(batch, context), squares[1..].view(batch, context));  // int64 [B, T] each

for (var step = 0; step < steps; step++)
{
    var result = training.Run(tokens, targets, schedule.At(step));  // gradients, clipping, update, rows into the unit ball
    if (step % 10 == 0 || step == steps - 1)
        Console.WriteLine(FormattableString.Invariant($"step {step}: loss {result.Loss:f6}"));
}

int[] prompt = [1, 4, 9];
var continuation = new TextGenerator(model).Generate(prompt, 6, new SamplingOptions(Temperature: 0));
Console.WriteLine($"{string.Join(", ", prompt)}, {string.Join(", ", continuation)}");
