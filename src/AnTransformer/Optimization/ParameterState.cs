using AnTransformer.Configuration;
using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>A parameter with what its rule keeps for it and the space its vectors are kept in.</summary>
/// <param name="Name">Name in checkpoints.</param>
/// <param name="Parameter">The parameter.</param>
/// <param name="Rule">What updates it.</param>
/// <param name="Tensors">The rule's state, in the order of <see cref="UpdateRule.State"/>.</param>
/// <param name="Constraint">The space.</param>
/// <param name="Dimension">The dimension along which a vector lies: 1 for rows, 0 for columns.</param>
/// <param name="Multiple">What the step's learning rate is multiplied by.</param>
internal sealed record ParameterState(
    string Name, Parameter Parameter, UpdateRule Rule, Tensor[] Tensors,
    RowConstraint Constraint = RowConstraint.None, int Dimension = 1, double Multiple = 1)
{
    /// <summary>Whether a step changes the parameter.</summary>
    public bool HasGradient
    {
        get
        {
            using var gradient = Gradient();
            return gradient is not null;
        }
    }

    /// <summary>Whether weight decay applies: to matrices.</summary>
    public bool IsDecayed { get; } = Parameter.dim() > 1;

    /// <summary>
    /// The constraint where it holds for rows, which kernels apply in passing; none where it holds for columns.
    /// </summary>
    public RowConstraint ConstraintOfRows => Dimension == 1 ? Constraint : RowConstraint.None;

    /// <summary>The gradient, a new wrapper; null for a parameter that has none or is frozen.</summary>
    public Tensor? Gradient() => Parameter.requires_grad ? Parameter.grad : null;

    /// <summary>Applies a constraint that holds for columns, after a kernel that knows rows only.</summary>
    public void ConstrainColumns()
    {
        if (ConstraintOfRows != Constraint)
            Constraint.Apply(Parameter, Dimension);
    }
}
