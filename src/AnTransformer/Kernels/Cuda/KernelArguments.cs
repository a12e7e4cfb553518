using System.Runtime.InteropServices;

namespace AnTransformer.Kernels.Cuda;

// The structures that the kernels take, field by field as in Sources/*.cu, where each is described. Pointers are to
// memory of the device, 0 where the kernel allows none; Wide is filled in by CudaKernels.

[StructLayout(LayoutKind.Sequential)]
internal struct ColumnSumArguments
{
    public nint Partial, Out;
    public long Rows;
    public int Columns;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ResidualForwardArguments
{
    public nint H, X, Keep, Update, Out, Cast;
    public long Rows;
    public int Columns, Wide;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ResidualBackwardArguments
{
    public nint Gradient, CastGradient, H, X, Keep, Update, DH, DX, Partial;
    public long Rows;
    public int Columns, Wide;
}

[StructLayout(LayoutKind.Sequential)]
internal struct RmsNormForwardArguments
{
    public nint H, X, Gain, Sum, Normalized, Reciprocal;
    public long Rows;
    public int Columns, Wide;
    public float Epsilon;
}

[StructLayout(LayoutKind.Sequential)]
internal struct RmsNormBackwardArguments
{
    public nint Gradient, SumGradient, Sum, Gain, Reciprocal, DSum, DX, Partial;
    public long Rows;
    public int Columns, Wide, Shared;
}

[StructLayout(LayoutKind.Sequential)]
internal struct QueryKeyForwardArguments
{
    public nint Qkv, QueryGain, KeyGain, Cosine, Sine, Q, K, V, QueryReciprocal, KeyReciprocal;
    public long Tokens;
    public int Length, Heads, HeadSize, Mode, GainStride;
    public float Epsilon, QueryFactor;
}

[StructLayout(LayoutKind.Sequential)]
internal struct TensorStrides
{
    public long Batch, Head, Position;
}

[StructLayout(LayoutKind.Sequential)]
internal struct QueryKeyBackwardArguments
{
    public nint DQ, DK, DV;
    public TensorStrides DQStrides, DKStrides, DVStrides;
    public nint Qkv, QueryGain, KeyGain, Cosine, Sine, QueryReciprocal, KeyReciprocal, DQkv, Partial;
    public long Tokens;
    public int Length, Heads, HeadSize, Mode, GainStride;
    public float QueryFactor;
}

[StructLayout(LayoutKind.Sequential)]
internal struct GatedForwardArguments
{
    public nint GateUp, Out;
    public long Rows;
    public int Columns, Wide;
    public float Factor, Slope;
}

[StructLayout(LayoutKind.Sequential)]
internal struct GatedBackwardArguments
{
    public nint Gradient, GateUp, DGateUp;
    public long Rows;
    public int Columns, Wide;
    public float Factor, Slope;
}

[StructLayout(LayoutKind.Sequential)]
internal struct CrossEntropyArguments
{
    public nint Logits, Targets, Loss;
    public long Rows;
    public int Columns, Gradient;
    public float Scale;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NormalizedForwardArguments
{
    public nint H, O, Alpha, Out, Cast, OReciprocal, UReciprocal;
    public long Rows;
    public int Columns, Wide;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NormalizedBackwardArguments
{
    public nint Gradient, CastGradient, H, O, Alpha, OReciprocal, UReciprocal, DH, DOut, Partial;
    public long Rows;
    public int Columns, Wide, Shared;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AdamUpdateArguments
{
    public nint Parameter, Gradient, Mean, Square, SquareSum;
    public long Size;
    public int Columns, Wide, Constraint, Clear;
    public float Rest1, Beta2, Rest2, Epsilon, StepSize, SquareCorrection, Decay, GradientFactor, MaxNorm;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LionUpdateArguments
{
    public nint Parameter, Gradient, Momentum;
    public long Size;
    public int Columns, Wide, Constraint;
    public float Beta1, Rest1, Beta2, Rest2, StepSize, Decay, GradientFactor;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SquareSumArguments
{
    public nint X, Partial;
    public long Size;
    public int Wide;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PartialTotalArguments
{
    public nint Partial, Out;
    public long Size;
}
