using AnTransformer.Checkpoints;

namespace AnTransformer.Export;

/// <summary>Names and limits of <see cref="ExportDtype"/>.</summary>
public static class ExportDtypes
{
    /// <summary>The name on the command line, for example <c>q8_0</c>.</summary>
    /// <param name="dtype">A defined type.</param>
    public static string Name(this ExportDtype dtype) => dtype switch
    {
        ExportDtype.F64 => "f64",
        ExportDtype.F32 => "f32",
        ExportDtype.F16 => "f16",
        ExportDtype.BF16 => "bf16",
        ExportDtype.Q8 => "q8_0",
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a type of exported matrices."),
    };

    /// <summary>
    /// The largest finite magnitude of an element; for <see cref="ExportDtype.Q8"/>, what its half-precision scales
    /// reach.
    /// </summary>
    /// <param name="dtype">A defined type.</param>
    public static double Largest(this ExportDtype dtype) => dtype switch
    {
        ExportDtype.F64 => double.MaxValue,
        ExportDtype.F32 => float.MaxValue,
        ExportDtype.F16 => 65504,
        ExportDtype.BF16 => 3.3895313892515355e38,
        ExportDtype.Q8 => 65504.0 * 127,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a type of exported matrices."),
    };

    /// <summary>
    /// How far folding may take a channel's scale from 1: matrices then hold numbers that much larger and smaller, and
    /// with half precision small ones lose digits below 6e-5, as blocks of bytes do beside large ones.
    /// </summary>
    /// <param name="dtype">A defined type.</param>
    internal static double WidestFolding(this ExportDtype dtype) => dtype switch
    {
        ExportDtype.F64 => 1e100,
        ExportDtype.F32 or ExportDtype.BF16 => 1e12,
        _ => 256,
    };

    /// <summary>The type of safetensors files that holds these elements.</summary>
    /// <param name="dtype">A floating-point type.</param>
    /// <exception cref="ArgumentOutOfRangeException">Safetensors has no such type.</exception>
    public static SafetensorsDtype ToSafetensors(this ExportDtype dtype) => dtype switch
    {
        ExportDtype.F64 => SafetensorsDtype.F64,
        ExportDtype.F32 => SafetensorsDtype.F32,
        ExportDtype.F16 => SafetensorsDtype.F16,
        ExportDtype.BF16 => SafetensorsDtype.BF16,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Safetensors has no such type."),
    };
}
