using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace AnTransformer.Inference;

/// <summary>Memory outside the garbage-collected heap, on a 64-byte boundary and zero at first.</summary>
internal sealed unsafe class NativeBuffer : SafeHandleZeroOrMinusOneIsInvalid
{
    private const int Alignment = 64;

    /// <summary>Takes memory from the system.</summary>
    /// <param name="bytes">How many bytes; pages that are never written cost nothing.</param>
    /// <exception cref="OutOfMemoryException">There is not that much.</exception>
    public NativeBuffer(long bytes)
        : base(ownsHandle: true)
    {
        Bytes = bytes;
        SetHandle((nint)NativeMemory.AllocZeroed((nuint)(bytes + Alignment)));
        Pointer = (byte*)((handle + Alignment - 1) & -Alignment);
        HugePages.Advise(Pointer, bytes);
    }

    /// <summary>The size.</summary>
    public long Bytes { get; }

    /// <summary>The first byte.</summary>
    public byte* Pointer { get; }

    /// <summary>The first float.</summary>
    public float* Floats => (float*)Pointer;

    /// <summary>A buffer of single-precision numbers.</summary>
    /// <param name="count">How many.</param>
    public static NativeBuffer OfFloats(long count) => new(count * sizeof(float));

    /// <summary>A vector in single precision.</summary>
    /// <param name="values">Its values.</param>
    public static NativeBuffer Of(ReadOnlySpan<double> values)
    {
        var buffer = OfFloats(values.Length);
        for (var i = 0; i < values.Length; i++)
            buffer.Floats[i] = (float)values[i];
        return buffer;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
