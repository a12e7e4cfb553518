using AnTransformer.Architectures;
using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// How parameters follow their gradients: what a rule keeps for each parameter, and what it makes of that and a
/// gradient in a step. All else is the <see cref="Optimizer"/>'s. <see cref="UpdateRuleRegistry"/> has the rules by
/// name.
/// </summary>
public abstract record UpdateRule
{
    private protected UpdateRule()
    {
    }

    /// <summary>The rule's name in configurations (<c>optimizer.kind</c>).</summary>
    public abstract string Name { get; }

    /// <summary>
    /// The constants a configuration can set, with this rule's values; null for what it does not have.
    /// </summary>
    public abstract RuleSettings Settings { get; }

    /// <summary>What is kept for each parameter, in the order of <see cref="ParameterState.Tensors"/>.</summary>
    internal abstract IReadOnlyList<StateTensor> State { get; }

    /// <summary>
    /// Whether a step changes every number by about the learning rate, whatever it is a part of: what rates by width
    /// (<see cref="LearningRateFactors.WidthExponent"/>) and bounds of spectral norms are made for.
    /// </summary>
    internal virtual bool MovesEveryNumberByTheRate => true;

    /// <summary>
    /// Whether a step of a matrix depends on all of it, so that no two processes can update parts of it.
    /// </summary>
    internal virtual bool NeedsWholeMatrix => true;

    /// <summary>The same rule with a configuration's constants.</summary>
    /// <param name="settings">Constants; null for the rule's own. Those it does not have are ignored.</param>
    public abstract UpdateRule With(RuleSettings settings);

    /// <summary>The rule that updates a kind of parameter where this one was chosen.</summary>
    internal virtual UpdateRule For(ParameterRole role) => this;

    /// <summary>
    /// The rule with the largest singular value of a matrix's step bounded, where it has such a step.
    /// </summary>
    /// <param name="limit">As a multiple of a random matrix's with entries of the same size.</param>
    internal virtual UpdateRule Clipped(double limit) => this;

    /// <summary>Bytes of what the rule keeps for a model's parameters, in fp32.</summary>
    /// <param name="config">A valid configuration.</param>
    public double StateBytes(ModelConfig config)
    {
        double table = (double)config.VocabSize * config.HiddenSize, head = config.TieWordEmbeddings ? 0 : table;
        var hidden = ModelCost.MatrixParameters(config) - table;
        var scales = ModelCost.Parameters(config) - hidden - table - head;
        return 4 * ((hidden * Kept(ParameterRole.Hidden)) + (table * Kept(ParameterRole.Embedding)) + (
            head * Kept(ParameterRole.Head))
            + (scales * Kept(ParameterRole.Scale)));
    }

    private int Kept(ParameterRole role) => For(role).State.Count(tensor => tensor.Initial is null);

    /// <summary>
    /// Takes a step: state, decay, update and constraint; gradients are zero afterwards. Parameters without a gradient
    /// are left alone.
    /// </summary>
    internal abstract void Update(IReadOnlyList<ParameterState> states, OptimizerStep step);
}

/// <summary>A tensor that a rule keeps for each parameter.</summary>
/// <param name="Name">What it is called in checkpoints, before a dot and the parameter's name.</param>
/// <param name="Initial">Makes it for a parameter; null for zeros shaped as the parameter.</param>
internal sealed record StateTensor(string Name, Func<Tensor, Tensor>? Initial = null);
