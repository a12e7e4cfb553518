using AnTransformer.Architectures;
using AnTransformer.Layers;
using TorchSharp.Modules;

namespace AnTransformer.Inspection;

/// <summary>A matrix of a model, with the activation it is applied to.</summary>
/// <param name="Layer">The block, from 0; null for embedding and head.</param>
/// <param name="Name">Its name in checkpoints without the path: <c>q_proj</c>.</param>
/// <param name="Weight">[out, in].</param>
/// <param name="VectorDimension">The dimension along which constrained vectors lie: 1 for rows, 0 for columns.</param>
/// <param name="Input">What it is applied to; null for the embedding.</param>
internal sealed record ModelMatrix(int? Layer, string Name, Parameter Weight, int VectorDimension, Activation? Input)
{
    public static IEnumerable<ModelMatrix> Of(LanguageModel model)
    {
        var (rows, outputs) = (model.VectorDimension(isOutput: false), model.VectorDimension(isOutput: true));
        yield return new(null, "embed_tokens", model.EmbedTokens.Weight, rows, null);
        for (var layer = 0; layer < model.Blocks.Count; layer++)
        {
            var (attention, mlp) = (model.Blocks[layer].SelfAttention, model.Blocks[layer].Mlp);
            yield return new(layer, "q_proj", attention.QProj.Weight, rows, Activation.AttentionInput);
            yield return new(layer, "k_proj", attention.KProj.Weight, rows, Activation.AttentionInput);
            yield return new(layer, "v_proj", attention.VProj.Weight, rows, Activation.AttentionInput);
            yield return new(layer, "o_proj", attention.OProj.Weight, outputs, Activation.Attention);
            yield return new(layer, "gate_proj", mlp.GateProj.Weight, rows, Activation.MlpInput);
            yield return new(layer, "up_proj", mlp.UpProj.Weight, rows, Activation.MlpInput);
            yield return new(layer, "down_proj", mlp.DownProj.Weight, outputs, Activation.Gated);
        }

        yield return new(null, "lm_head", model.Head.Weight, rows, Activation.HeadInput);
    }
}
