// Classifies images with anGPT's blocks: what anTransformer has for text is of use for anything that can be made a sequence
// of vectors. The model is in PatchClassifier.cs, the images, which are drawn as they are needed, in DrawnDigits.cs. A linear
// classifier learns from the same images, to show that they ask for more.
//
//     dotnet run -c Release --project samples/ImageClassifier              two minutes at most on two cores
//     dotnet run -c Release --project samples/ImageClassifier -- 50       that many steps
using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using ImageClassifier;
using static TorchSharp.torch;

const int patch = 4, batch = 64, testImages = 2000, trainSeed = 1, testSeed = 2;
const int patches = DrawnDigits.Side / patch * (DrawnDigits.Side / patch);
var steps = args.Length > 0 && int.TryParse(args[0], CultureInfo.InvariantCulture, out var given) && given > 0 ? given : 700;

var config = ArchitectureRegistry.CreateConfig(
    "angpt", vocabSize: 1, hiddenSize: 64, numAttentionHeads: 4, numHiddenLayers: 3, maxPositionEmbeddings: patches) with
{
    IsCausal = false,
};
using var model = new PatchClassifier(config, patch, DrawnDigits.Classes, seed: 1);
using var optimizer = new Optimizer(model.TrainedParameters(), OptimizerSettings.For(config));
var schedule = LearningRateSchedule.For(config, peak: 3e-3, steps);

using var linear = nn.Linear(DrawnDigits.Side * DrawnDigits.Side, DrawnDigits.Classes);
using var linearOptimizer = optim.Adam(linear.parameters(), lr: 1e-3);

for (var step = 0; step < steps; step++)
{
    using var scope = NewDisposeScope();
    var (images, digits) = DrawnDigits.Batch(trainSeed, (long)step * batch, batch);
    var loss = nn.functional.cross_entropy(model.forward(images), digits);
    BackwardPass.Run(loss);
    optimizer.Update(schedule.At(step));                            // rows back into the unit ball included

    linearOptimizer.zero_grad();
    nn.functional.cross_entropy(linear.forward(images.flatten(1)), digits).backward();
    linearOptimizer.step();
    if (step % 50 == 0 || step == steps - 1)
        Console.WriteLine(FormattableString.Invariant($"step {step}: loss {loss.item<float>():f4}"));
}

Console.WriteLine(FormattableString.Invariant($"patches through anGPT's blocks: {Accuracy(model.forward):p1} of {testImages} new images right"));
Console.WriteLine(FormattableString.Invariant($"a linear classifier of pixels: {Accuracy(images => linear.forward(images.flatten(1))):p1}"));

static double Accuracy(Func<Tensor, Tensor> logits)
{
    using var noGrad = inference_mode();
    var right = 0L;
    for (var first = 0; first < testImages; first += 500)
    {
        using var scope = NewDisposeScope();
        var (images, digits) = DrawnDigits.Batch(testSeed, first, 500);
        right += logits(images).argmax(1).eq(digits).sum().item<long>();
    }

    return (double)right / testImages;
}
