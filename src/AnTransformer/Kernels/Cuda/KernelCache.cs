using System.Security.Cryptography;
using System.Text;

namespace AnTransformer.Kernels.Cuda;

/// <summary>
/// Compiled kernels on disk, by a hash of all they depend on. An entry begins with the hash of its content, so that a
/// damaged one counts as missing; it appears by a rename, so that processes that start together see a whole file or
/// none. Where the folder cannot be used, nothing is cached.
/// </summary>
/// <param name="folder">The folder, or null for none.</param>
internal sealed class KernelCache(string? folder)
{
    /// <summary>The key of a program.</summary>
    /// <param name="source">Its text.</param>
    /// <param name="architecture">What it is compiled for.</param>
    /// <param name="compiler">The compiler's version.</param>
    public static string Key(string source, string architecture, string compiler)
        => Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{compiler}\0{architecture}\0{source}")))[..32];

    /// <summary>What was kept under a key, or null.</summary>
    /// <param name="key">From <see cref="Key"/>.</param>
    public byte[]? Find(string key)
    {
        try
        {
            if (folder is null || !File.Exists(PathOf(folder, key)))
                return null;
            var bytes = File.ReadAllBytes(PathOf(folder, key));
            if (bytes.Length <= SHA256.HashSizeInBytes)
                return null;
            var content = bytes[SHA256.HashSizeInBytes..];
            return SHA256.HashData(content).AsSpan().SequenceEqual(bytes.AsSpan(0, SHA256.HashSizeInBytes))
                ? content
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps a program's code.</summary>
    /// <param name="key">From <see cref="Key"/>.</param>
    /// <param name="content">The code.</param>
    public void Keep(string key, byte[] content)
    {
        if (folder is null)
            return;
        try
        {
            Directory.CreateDirectory(folder);
            var temporary = Path.Combine(folder, $".{Path.GetRandomFileName()}");
            try
            {
                File.WriteAllBytes(temporary, [.. SHA256.HashData(content), .. content]);
                File.Move(temporary, PathOf(folder, key), overwrite: true);
            }
            finally
            {
                File.Delete(temporary);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next process compiles again.
        }
    }

    private static string PathOf(string folder, string key) => Path.Combine(folder, key + ".kernels");
}
