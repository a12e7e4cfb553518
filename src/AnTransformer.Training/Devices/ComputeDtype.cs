using System.Text.Json.Serialization;

namespace AnTransformer.Training.Devices;

/// <summary>The precision of matrix products and attention.</summary>
public enum ComputeDtype
{
    /// <summary>32-bit floats, as weights and sums always are.</summary>
    [JsonStringEnumMemberName("fp32")]
    Fp32,

    /// <summary>16-bit floats with fp32's range.</summary>
    [JsonStringEnumMemberName("bf16")]
    Bf16,
}
