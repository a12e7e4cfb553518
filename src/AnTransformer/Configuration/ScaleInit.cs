namespace AnTransformer.Configuration;

/// <summary>
/// Start and speed of a reparameterized scale (nGPT section 2.5: <c>s = ŝ · s_init / s_scale</c>, ŝ starts at s_scale).
/// </summary>
/// <param name="Init">s_init, the value the scale starts with.</param>
/// <param name="Scale">s_scale, the stored number's start: the smaller, the faster Adam moves the scale.</param>
public sealed record ScaleInit(double Init, double Scale);
