using System.Globalization;

namespace AnTransformer.Studies.Running;

/// <summary>
/// All settings that decide a run's outcome, with the values that fields left to the architecture have taken. Defaults may change with the
/// software, and a run of others must not be taken for one of these.
/// </summary>
internal static class ResolvedSettings
{
    public static SortedDictionary<string, string> Of(PlannedRun run)
    {
        var (plan, model) = (run.Plan, run.Plan.Model);
        var values = new SortedDictionary<string, string>(RunFingerprint.Settings(run.Configuration).ToDictionary(), StringComparer.Ordinal);
        Add("model.intermediate_size", model.IntermediateSize);
        Add("model.alpha_init", model.Alpha.Init);
        Add("model.alpha_scale", model.Alpha.Scale);
        Add("model.logit_scale_init", model.LogitScale.Init);
        Add("model.logit_scale_scale", model.LogitScale.Scale);
        Add("model.qk_scale_init", model.QkScale.Init);
        Add("model.qk_scale_scale", model.QkScale.Scale);
        Add("model.mlp_scale_init", model.MlpScale.Init);
        Add("model.mlp_scale_scale", model.MlpScale.Scale);
        Add("optimizer.spectral_clip", plan.Adam.SpectralClip);
        Add("optimizer.width_exponent", plan.Adam.Factors.WidthExponent);
        Add("optimizer.weight_decay", plan.Adam.WeightDecay);
        Add("optimizer.gradient_clipping", plan.GradientClipping);
        Add("schedule.warmup_steps", plan.Schedule.WarmupSteps);
        values["model.qk_norm"] = model.QkNorm ? "true" : "false";
        values["model.constraint"] = model.Constraint.ToString().ToLowerInvariant();
        return values;

        void Add(string key, double value) => values[key] = value.ToString("R", CultureInfo.InvariantCulture);
    }

    /// <summary>The first field that both know and have different values of, or null.</summary>
    public static string? Difference(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now)
        => before.Where(item => now.TryGetValue(item.Key, out var value) && value != item.Value)
            .Select(item => $"{item.Key}: {item.Value} → {now[item.Key]}").FirstOrDefault();
}
