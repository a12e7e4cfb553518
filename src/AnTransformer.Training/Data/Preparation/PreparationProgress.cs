using System.Runtime.InteropServices;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>How far a preparation is; rates and the time left follow from it.</summary>
/// <param name="BytesRead">Bytes of the input files read (compressed bytes where they are).</param>
/// <param name="TotalBytes">Bytes of all input files.</param>
/// <param name="Documents">Documents written.</param>
/// <param name="Tokens">Tokens written.</param>
/// <param name="TextBytes">Bytes of text written as tokens.</param>
/// <param name="Elapsed">Time since the start.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct PreparationProgress(
    long BytesRead,
    long TotalBytes,
    long Documents,
    long Tokens,
    long TextBytes,
    TimeSpan Elapsed);
