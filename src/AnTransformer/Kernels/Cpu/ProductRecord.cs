using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AnTransformer.Native;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// What was measured of matrix products on this processor with this LibTorch, in the user's cache: measured once, by
/// the first process that needs it, so that all runs after it choose alike and repeat to the bit.
/// </summary>
/// <param name="Processor">The processor's name and what runs on it.</param>
/// <param name="Rates">Rates of each class.</param>
internal sealed record ProductRecord(string Processor, IReadOnlyList<ProductRates> Rates)
{
    private const int Format = 1;       // of classes and shapes: others are measured anew

    /// <summary>The record of this machine: its file's, or measured now and written there.</summary>
    /// <returns>Null where no file can be kept, so that every process would choose by its own luck.</returns>
    public static ProductRecord? FindOrMeasure()
    {
        var processor = ProcessorName();
        try
        {
            return FindOrMeasure(PathOf(processor), processor, ProductMeasurement.Run);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The record of a file, or measured now and written there.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static ProductRecord FindOrMeasure(string path, string processor, Func<IReadOnlyList<ProductRates>> measure)
    {
        if (Read(path) is { } found)
            return found;
        // Before the second that measuring takes.
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return Keep(path, new ProductRecord(processor, measure()));
    }

    /// <summary>The file of this machine.</summary>
    /// <exception cref="DirectoryNotFoundException">The user has no home.</exception>
    public static string PathOf(string processor)
        => Path.Combine(
            LibTorchSharpCompatibility.CacheDirectory(),
            $"products-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(processor)))[..16]}.json");

    /// <summary>The processor as the system names it, the vectors in use, the BLAS and its version.</summary>
    public static string ProcessorName()
    {
        var bits = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
        return string.Join(
            ", ", Machine.ProcessorName, $"{bits} bits",
            $"{Gemm.BlasName} of LibTorch {LibTorchVersion.Find()}", $"format {Format}");
    }

    /// <summary>Whether this machine has one.</summary>
    public static bool Exists
    {
        get
        {
            try
            {
                return Read(PathOf(ProcessorName())) is not null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                return false;
            }
        }
    }

    /// <summary>A file's record; null where there is none, or one that is damaged.</summary>
    public static ProductRecord? Read(string path)
    {
        try
        {
            var record = JsonSerializer.Deserialize<ProductRecord>(File.ReadAllText(path));
            return record?.Rates?.Count == ProductChoice.ClassNames.Count
                && record.Rates.All(rates => rates is { Own: > 0, Blas: > 0 })
                ? record
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    private static ProductRecord Keep(string path, ProductRecord record)
    {
        var own = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(own, JsonSerializer.Serialize(record));
        try
        {
            // Of several processes that measured at once the first one's holds; a damaged file is replaced.
            File.Move(own, path, overwrite: File.Exists(path) && Read(path) is null);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(own);
        }

        return Read(path) ?? record;
    }
}
