using AnTransformer.Models;
using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>A learned scale or gain: α, s_z, s_qk, s_u, s_g, or a norm's gain.</summary>
/// <param name="Layer">The block, from 0; null outside the blocks.</param>
/// <param name="Scale">Its name in checkpoints without the path, such as <c>attn_alpha</c> or <c>input_layernorm</c>.</param>
/// <param name="Values">The values as they are used: ŝ · s_init/s_scale, and of that the magnitude for α.</param>
/// <param name="Negative">How many are stored negative.</param>
public sealed record ScaleStatistics(int? Layer, string Scale, Distribution Values, long Negative)
{
    private const string LayerPrefix = "model.layers.";

    internal static IEnumerable<ScaleStatistics> Of(LanguageModel model)
        => model.NamedParameters().Where(item => item.Parameter.dim() == 1).Select(item => Of(item.Name, item.Parameter, model.Config));

    private static ScaleStatistics Of(string name, Tensor stored, ModelConfig config)
    {
        int? layer = name.StartsWith(LayerPrefix, StringComparison.Ordinal) ? int.Parse(name.Split('.')[2]) : null;
        var scale = name.Split('.') is [.., var module, "weight"] ? module : name.Split('.')[^1];
        var numbers = Distribution.Numbers(stored);
        var negative = numbers.LongCount(value => value < 0);
        var toValue = scale switch
        {
            "attn_alpha" or "mlp_alpha" => config.Alpha.Init / config.Alpha.Scale,
            "logit_scale" => config.LogitScale.Init / config.LogitScale.Scale,
            "qk_scale" => config.QkScale.Init / config.QkScale.Scale,
            "up_scale" or "gate_scale" => config.MlpScale.Init / config.MlpScale.Scale,
            _ => 1,
        };
        var isAlpha = scale.EndsWith("_alpha", StringComparison.Ordinal);
        return new ScaleStatistics(
            layer, scale, Distribution.Of(Array.ConvertAll(numbers, value => isAlpha ? Math.Abs(value * toValue) : value * toValue)), negative);
    }
}
