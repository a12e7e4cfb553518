using AnTransformer.Layers;

namespace AnTransformer.Inspection;

/// <summary>
/// How what a block adds lies to the stream it is added to. ν(α) = 1/√(α² + (1−α)²) assumes independent directions; of
/// E‖(1−α)h + αx‖² it leaves out 2α(1−α) E⟨h, x⟩, and a stream whose updates point along it grows.
/// </summary>
/// <param name="Layer">The block, from 0.</param>
/// <param name="Output">
/// Which update: <see cref="Activation.AttentionOutput"/> or <see cref="Activation.MlpOutput"/>.
/// </param>
/// <param name="Cosine">E⟨h, x⟩ / √(E‖h‖² · E‖x‖²): 0 for independent directions.</param>
public sealed record ResidualUpdate(int Layer, Activation Output, double Cosine);
