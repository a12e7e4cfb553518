using System.Buffers.Binary;
using System.IO.Hashing;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Decides which documents are held back (see <see cref="PreparationOptions.ValidationFraction"/>): of each block of K
/// = round(1 / fraction) consecutive documents the one at XxHash3(seed, block) mod K, in the first block the second. A
/// pure function of the document's index, so it needs neither the corpus's length nor any state.
/// </summary>
internal sealed class ValidationSplit(double fraction, long seed)
{
    private readonly long _blockLength = fraction == 0 ? 0 : (long)Math.Round(1 / fraction);

    public bool IsValidation(long document)
    {
        if (_blockLength == 0)
            return false;
        var (block, place) = Math.DivRem(document, _blockLength);
        return place == (block == 0 ? 1 : Choose(block));
    }

    private long Choose(long block)
    {
        Span<byte> key = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(key, seed);
        BinaryPrimitives.WriteInt64LittleEndian(key[8..], block);
        return (long)(XxHash3.HashToUInt64(key) % (ulong)_blockLength);
    }
}
