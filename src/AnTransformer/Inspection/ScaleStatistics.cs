using AnTransformer.Architectures;
using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>A learned scale or gain: α, s_z, s_qk, s_u, s_g, or what a norm learns.</summary>
/// <param name="Layer">The block, from 0; null outside the blocks.</param>
/// <param name="Scale">
/// Its name in checkpoints without the path, such as <c>attn_alpha</c>, <c>input_layernorm</c> or
/// <c>input_layernorm_bias</c>.
/// </param>
/// <param name="Values">
/// The values as they are used: ŝ · s_init/s_scale, and of that the magnitude for a residual's α.
/// </param>
/// <param name="Negative">How many are stored negative.</param>
public sealed record ScaleStatistics(int? Layer, string Scale, Distribution Values, long Negative)
{
    private const string LayerPrefix = "model.layers.";

    internal static IEnumerable<ScaleStatistics> Of(LanguageModel model)
        => model.NamedParameters().Where(item => item.Parameter.dim() == 1)
            .Select(item => Of(item.Name, item.Parameter, model.Config));

    private static ScaleStatistics Of(string name, Tensor stored, ModelConfig config)
    {
        int? layer = name.StartsWith(LayerPrefix, StringComparison.Ordinal) ? int.Parse(name.Split('.')[2]) : null;
        var scale = NameOf(name);
        var numbers = Distribution.Numbers(stored);
        var negative = numbers.LongCount(value => value < 0);
        var toValue = scale switch
        {
            _ when scale.EndsWith("_alpha", StringComparison.Ordinal) => config.Alpha.Init / config.Alpha.Scale,
            "logit_scale" => config.LogitScale.Init / config.LogitScale.Scale,
            "qk_scale" => config.QkScale.Init / config.QkScale.Scale,
            "up_scale" or "gate_scale" => config.MlpScale.Init / config.MlpScale.Scale,
            _ => 1,
        };
        var isAlpha = scale is "attn_alpha" or "mlp_alpha";
        return new ScaleStatistics(
            layer, scale, Distribution.Of(
                Array.ConvertAll(numbers, value => isAlpha ? Math.Abs(value * toValue) : value * toValue)), negative);
    }

    // A norm's gain has the norm's name; what else it learns follows that.
    private static string NameOf(string parameter) => parameter.Split('.') switch
    {
        [.., var module, "weight"] => module,
        [.., var module, var own] when module.EndsWith("norm", StringComparison.Ordinal) => $"{module}_{own}",
        [.., var own] => own,
        [] => parameter,
    };
}
