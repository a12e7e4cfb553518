using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>
/// Everything that tells an architecture from the others, in one object. A new architecture is a folder with its
/// definition and its model, and a line in <see cref="ArchitectureRegistry"/>; nothing else asks for names.
/// </summary>
public abstract class ArchitectureDefinition
{
    /// <summary>
    /// The name in <c>config.json</c>'s <c>model_type</c>, in configurations and on the command line.
    /// </summary>
    public abstract string Name { get; }

    /// <summary>What it is, in half a line.</summary>
    public abstract string Summary { get; }

    /// <summary>How it is trained where nothing else is asked for.</summary>
    public abstract TrainingDefaults Training { get; }

    /// <summary>The fields of a configuration that it reads besides those of every architecture.</summary>
    public abstract ModelFields Fields { get; }

    /// <summary>Its own settings at a given size.</summary>
    /// <param name="vocabSize">V.</param>
    /// <param name="hiddenSize">d.</param>
    /// <param name="numAttentionHeads">H.</param>
    /// <param name="numHiddenLayers">L.</param>
    /// <param name="maxPositionEmbeddings">T.</param>
    /// <param name="intermediateSize">f; 4d when null.</param>
    public ModelConfig CreateConfig(
        int vocabSize,
        int hiddenSize,
        int numAttentionHeads,
        int numHiddenLayers,
        int maxPositionEmbeddings,
        int? intermediateSize = null)
    {
        var rootWidth = 1 / Math.Sqrt(hiddenSize);
        return WithDefaults(new ModelConfig
        {
            Architecture = Name,
            VocabSize = vocabSize,
            HiddenSize = hiddenSize,
            NumAttentionHeads = numAttentionHeads,
            NumHiddenLayers = numHiddenLayers,
            MaxPositionEmbeddings = maxPositionEmbeddings,
            IntermediateSize = intermediateSize ?? checked(4 * hiddenSize),
            // nGPT's constants (arXiv 2410.01131, section 2.5), for whoever has such scales.
            Alpha = new ScaleInit(0.05, rootWidth),
            LogitScale = new ScaleInit(1, rootWidth),
            QkScale = new ScaleInit(1, rootWidth),
            MlpScale = new ScaleInit(1, 1),
        });
    }

    /// <summary>Builds the model with parameters that still have to be initialized or loaded.</summary>
    /// <param name="config">A valid configuration of this architecture.</param>
    /// <param name="context">Dtypes and device.</param>
    public abstract LanguageModel CreateModel(ModelConfig config, ModelContext context);

    /// <summary>What a trained model computes, for folding, export and inference.</summary>
    /// <param name="config">A valid configuration of this architecture.</param>
    /// <param name="parameters">The trained parameters.</param>
    public abstract DecoderGraph Describe(ModelConfig config, GraphParameters parameters);

    /// <summary>
    /// Builds the blocks and what follows them, without embedding and head, with parameters still to be initialized.
    /// </summary>
    /// <param name="config">A valid configuration of this architecture.</param>
    /// <param name="context">Dtypes and device.</param>
    public abstract Encoder CreateEncoder(ModelConfig config, ModelContext context);

    /// <summary>
    /// Number of gains and scales, that is, of all trainable numbers outside of matrices: in a block, and outside of
    /// the blocks.
    /// </summary>
    /// <param name="config">A valid configuration of this architecture.</param>
    public abstract (long PerBlock, long Outside) CountScales(ModelConfig config);

    /// <summary>The norm of every activation as it follows from the configuration alone.</summary>
    /// <param name="config">A valid configuration of this architecture.</param>
    public abstract PredictedNorms PredictNorms(ModelConfig config);

    /// <summary>The architecture's own defaults in place of the common ones.</summary>
    /// <param name="config">A configuration with sizes and common defaults.</param>
    protected abstract ModelConfig WithDefaults(ModelConfig config);
}
