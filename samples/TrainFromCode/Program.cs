// Trains anGPT from code, with nothing but the library: it learns to continue the squares modulo 64.
using AnTransformer.Generation;
using AnTransformer.Layers;
using AnTransformer.Models;
using AnTransformer.Native;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

const int batch = 16, context = 32, steps = 200;
LibTorch.EnsureLoaded();

var config = ModelConfig.Create(
    Architecture.AnGpt, vocabSize: 64, hiddenSize: 64, numAttentionHeads: 4, numHiddenLayers: 2, maxPositionEmbeddings: context) with
{
    Alpha = new ScaleInit(Init: 0.2, Scale: 1),
    LogitScale = new ScaleInit(Init: 8, Scale: 1),
};
using var model = LanguageModel.Create(config, ModelContext.Default);
model.Initialize(seed: 1);
using var adam = new Adam(model, new AdamOptions());
var schedule = new LearningRateSchedule(ScheduleKind.Cosine, Peak: 5e-3, steps);
var random = new Random(1);

for (var step = 0; step < steps; step++)
{
    using var scope = NewDisposeScope();
    var sequences = stack(Enumerable.Range(0, batch).Select(_ => tensor(Squares(random.Next(64), context + 1))).ToArray());
    var loss = model.Loss(sequences[.., ..^1], sequences[.., 1..]);
    BackwardPass.Run(loss);
    adam.Update(schedule.At(step));
    if (step % 20 == 0 || step == steps - 1)
        Console.WriteLine($"step {step}: loss {loss.item<float>():f4}");
}

int[] prompt = [1, 4, 9];
var continuation = new TextGenerator(model).Generate(prompt, 6, new SamplingOptions(Temperature: 0));
Console.WriteLine($"{string.Join(", ", prompt)}, {string.Join(", ", continuation)}");

static long[] Squares(int first, int count) => Enumerable.Range(first, count).Select(i => (long)i * i % 64).ToArray();
