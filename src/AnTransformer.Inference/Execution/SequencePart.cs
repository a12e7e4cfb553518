using System.Runtime.InteropServices;

namespace AnTransformer.Inference.Execution;

/// <summary>Neighbouring tokens of one sequence in a pass.</summary>
/// <param name="Store">The sequence's keys and values.</param>
/// <param name="FirstRow">The first one's row in the pass.</param>
/// <param name="Rows">How many.</param>
/// <param name="Position">The first one's position in the sequence.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SequencePart(KeyValueStore Store, int FirstRow, int Rows, int Position);
