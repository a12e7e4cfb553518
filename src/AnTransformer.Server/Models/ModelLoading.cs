using AnTransformer.Checkpoints;
using AnTransformer.Inference;
using AnTransformer.Server.Scheduling;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Server.Models;

/// <summary>Loads the models that are served.</summary>
internal static class ModelLoading
{
    /// <summary>Loads all of them, or none.</summary>
    /// <exception cref="InvalidInputException">One cannot be loaded or is none that continues text.</exception>
    public static ModelTable Load(ServerOptions options, ServerMetrics metrics)
    {
        var models = new List<ServedModel>();
        try
        {
            foreach (var (name, checkpoint) in options.Models)
            {
                if (models.Exists(other => other.Name == name))
                {
                    throw new InvalidInputException(
                        $"{checkpoint}: two models are called {Printable.Excerpt(name)}; give one another name, "
                            + "NAME=CHECKPOINT.");
                }

                models.Add(Load(name, checkpoint, options, metrics));
            }

            return new ModelTable(models);
        }
        catch (Exception)
        {
            models.ForEach(model => model.Dispose());
            throw;
        }
    }

    private static ServedModel Load(string name, string checkpoint, ServerOptions options, ServerMetrics metrics)
    {
        if (!File.Exists(Path.Combine(checkpoint, "tokenizer.json")))
        {
            throw new InvalidInputException(
                $"{checkpoint}: has no tokenizer.json, so text cannot be read; copy the one that the model was trained "
                    + "with beside it.");
        }

        var tokenizer = TokenizerFiles.Load(checkpoint);
        var model = InferenceModel.Load(checkpoint, options.Inference);
        try
        {
            model.RequireCausal();
            if (tokenizer.VocabularySize > model.Config.VocabSize)
            {
                throw new InvalidInputException(
                    $"{checkpoint}: the tokenizer has {tokenizer.VocabularySize} ids but the model "
                        + $"{model.Config.VocabSize}; use the tokenizer the model was trained with.");
            }

            var trained = File.GetLastWriteTimeUtc(Path.Combine(checkpoint, ModelCheckpoint.WeightsFile));
            return new ServedModel(
                name, model, tokenizer, new DateTimeOffset(trained), options.Slots, options.MostQueued, metrics);
        }
        catch (Exception)
        {
            model.Dispose();
            throw;
        }
    }
}
