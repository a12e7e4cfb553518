using AnTransformer.Configuration;
using TorchSharp.Modules;

namespace AnTransformer.Architectures;

/// <summary>A parameter with all that an optimizer has to know of it.</summary>
/// <param name="Name">The name that its state is saved under.</param>
/// <param name="Parameter">The parameter.</param>
/// <param name="Role">What it does: its learning rate and kind of update depend on it.</param>
/// <param name="Constraint">The space that its vectors are kept in after each step.</param>
/// <param name="VectorDimension">The dimension along which a vector lies: 1 for rows, 0 for columns.</param>
public sealed record TrainedParameter(
    string Name,
    Parameter Parameter,
    ParameterRole Role,
    RowConstraint Constraint = RowConstraint.None,
    int VectorDimension = 1);
