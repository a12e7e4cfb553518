using System.Runtime.InteropServices;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>One text of a corpus.</summary>
/// <param name="Text">
/// Its bytes, usually UTF-8 but whatever the source holds; never empty. Belongs to whoever receives it.
/// </param>
/// <param name="Path">The file that it is from.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Document(ReadOnlyMemory<byte> Text, string Path);
