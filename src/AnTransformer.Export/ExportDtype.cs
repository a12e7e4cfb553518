namespace AnTransformer.Export;

/// <summary>The element types that exported matrices can have.</summary>
public enum ExportDtype
{
    /// <summary>64-bit floating point (<c>f64</c>).</summary>
    F64,

    /// <summary>32-bit floating point (<c>f32</c>).</summary>
    F32,

    /// <summary>16-bit floating point, IEEE half (<c>f16</c>).</summary>
    F16,

    /// <summary>Brain floating point, the upper half of a 32-bit one (<c>bf16</c>).</summary>
    BF16,

    /// <summary>Blocks of 32 signed bytes with one scale each, llama.cpp's Q8_0 (<c>q8_0</c>).</summary>
    Q8,
}
