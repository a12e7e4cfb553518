using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What <c>angpt ablate</c> is told.</summary>
public sealed class AblateConfiguration : TunedConfiguration, IValidatable
{
    /// <summary>Variants.</summary>
    [Description("What is compared with the base, each as a name and the fields that are different, \"name: key=value "
        + "key=value\". The default "
        + "is every ablation of anGPT: its factors off one by one and together, other row constraints, no QK norm, "
        + "other starts of alpha "
        + "and the logit scale.")]
    public List<string> Variants { get; set; } =
    [
        "no-nu-qkv: model.nu_qkv=false",
        "no-nu-o: model.nu_o=false",
        "no-nu-ug: model.nu_ug=false",
        "no-nu-act: model.nu_act=false",
        "no-nu-down: model.nu_down=false",
        "no-nu-alpha: model.nu_alpha=false",
        "no-nu: model.nu_qkv=false model.nu_o=false model.nu_ug=false model.nu_act=false model.nu_down=false "
            + "model.nu_alpha=false",
        "exact-rows: model.constraint=exact",
        "free-rows: model.constraint=none",
        "no-qk-norm: model.qk_norm=false",
        "alpha-init-0.05: model.alpha_init=0.05",
        "alpha-scale-0.1: model.alpha_scale=0.1",
        "logit-init-1: model.logit_scale_init=1",
        "logit-scale-0.1: model.logit_scale_scale=0.1",
        "ngpt-scales: model.alpha_init=0.05 model.alpha_scale=0.1 model.logit_scale_init=1 model.logit_scale_scale=0.1",
    ];

    /// <summary>Whether variants are tuned.</summary>
    [Description(
        "Whether every variant has its own learning rate tuned; false takes the base's for all, which is cheaper and "
            + "less fair.")]
    public bool TuneVariants { get; set; } = true;

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        foreach (var problem in TuningProblems())
            yield return problem;
        if (Variants.Count == 0)
            yield return new ConfigurationProblem(
                "variants must have at least one entry, such as \"no-qk-norm: model.qk_norm=false\"", "variants");
    }
}
