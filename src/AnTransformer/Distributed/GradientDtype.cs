namespace AnTransformer.Distributed;

/// <summary>In what gradients travel between processes; they are summed in single precision in either case.</summary>
public enum GradientDtype
{
    /// <summary>Single precision.</summary>
    Fp32,

    /// <summary>Brain floating point: half the bytes, three significant digits.</summary>
    Bf16,
}
