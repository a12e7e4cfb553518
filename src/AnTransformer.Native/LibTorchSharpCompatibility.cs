using System.Security.Cryptography;

namespace AnTransformer.Native;

/// <summary>
/// Lets TorchSharp's native library load where the system's libstdc++ is older than the one it was linked with (Debian
/// 12, Ubuntu 22.04, RHEL 9), by loading a copy that does not insist on the versions it can do without.
/// </summary>
/// <remarks>
/// <para>GLIBCXX_3.4.32 (GCC 13): the only symbol behind it, <c>std::ios_base_library_init</c>, is a link-time marker.
/// Nothing calls it, so the need is made weak.</para>
/// <para>GLIBCXX_3.4.30 (GCC 12): <c>condition_variable::wait</c> alone, a new version of a function that has been
/// there since GLIBCXX_3.4.11 and differs in how it takes part in thread cancellation only. It is bound to the older
/// one.</para>
/// </remarks>
internal static class LibTorchSharpCompatibility
{
    private static readonly (Version Version, string? BoundTo)[] Rules =
    [
        (new Version(3, 4, 30), "GLIBCXX_3.4.11"),
        (new Version(3, 4, 32), null),
    ];

    /// <summary>The version of libstdc++ that a loader's message misses, when a copy can do without it.</summary>
    /// <param name="error">What dlopen said.</param>
    public static Version? MissingVersion(string error)
    {
        const string Before = "version `GLIBCXX_", After = "' not found";
        var start = error.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        var end = start < Before.Length ? -1 : error.IndexOf(After, start, StringComparison.Ordinal);
        if (end < 0 || !Version.TryParse(error.AsSpan(start, end - start), out var version))
            return null;
        return Array.Exists(Rules, rule => rule.Version == version) ? version : null;
    }

    /// <summary>Relaxes, in place, every need that a libstdc++ without the given version cannot satisfy.</summary>
    /// <param name="image">The library.</param>
    /// <param name="missing">The oldest version that is missing; those above it are missing, too.</param>
    /// <returns>True when something was changed.</returns>
    /// <exception cref="InvalidDataException">The file is not an ELF64 file, or damaged.</exception>
    public static bool Relax(byte[] image, Version missing)
    {
        var needs = ElfVersionNeeds.Parse(image);
        var changed = false;
        foreach (var (version, boundTo) in Rules)
        {
            if (version < missing || needs.Find($"GLIBCXX_{version}") is not { } entry || entry.IsWeak)
                continue;
            if (boundTo is null)
                needs.Weaken(entry);
            else if (needs.Find(boundTo) is { } target && target.Library == entry.Library)
                needs.Rebind(entry, target);
            else
                continue;
            changed = true;
        }

        return changed;
    }

    /// <summary>Loads a relaxed copy of the library, kept in the user's cache folder.</summary>
    /// <param name="original">The library as TorchSharp ships it; it is only read.</param>
    /// <param name="missing">The oldest version of libstdc++ that is missing.</param>
    /// <param name="handle">The handle of the loaded copy.</param>
    /// <param name="undefined">The loader's message on a symbol that LibTorch lacks, or null.</param>
    /// <param name="error">What went wrong.</param>
    public static bool TryLoadCopy(
        string original, Version missing, out nint handle, out string? undefined, out string error)
    {
        handle = 0;
        undefined = null;
        byte[] image;
        try
        {
            image = File.ReadAllBytes(original);
            if (!Relax(image, missing))
            {
                error = $"{original} does not need GLIBCXX_{missing}";
                return false;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            error = $"{original}: {e.Message}";
            return false;
        }

        error = "";
        try
        {
            // A noexec mount is seen when loading only; then the copy in the temporary folder is tried.
            if (DynamicLoader.TryLoadBound(Keep(image, CacheDirectory()), out handle, out undefined, out error))
                return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = e.Message;
        }

        return TryLoadTemporary(image, out handle, out undefined, ref error);
    }

    /// <summary>
    /// The user's folder for copies: <c>$XDG_CACHE_HOME/antransformer</c> or <c>~/.cache/antransformer</c>.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The user has no home.</exception>
    public static string CacheDirectory()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (!Path.IsPathFullyQualified(cache ?? ""))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            cache = home.Length > 0
                ? Path.Combine(home, ".cache")
                : throw new DirectoryNotFoundException("no home directory");
        }

        return Path.Combine(cache!, "antransformer");
    }

    /// <summary>
    /// Puts the image at <c>directory/(hash)/libLibTorchSharp.so</c> unless exactly these bytes are there, by a rename,
    /// so that processes that start together see a whole file or none.
    /// </summary>
    /// <param name="image">The relaxed library.</param>
    /// <param name="directory">The cache folder; created when missing.</param>
    /// <returns>The file's path.</returns>
    public static string Keep(byte[] image, string directory)
    {
        var folder = Path.Combine(directory, Convert.ToHexStringLower(SHA256.HashData(image))[..32]);
        var path = Path.Combine(folder, NativeLibraries.FileName("LibTorchSharp"));
        if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(image))
            return path;

        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Path.GetRandomFileName()}");
        try
        {
            File.WriteAllBytes(temporary, image);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }

        return path;
    }

    private static bool TryLoadTemporary(byte[] image, out nint handle, out string? undefined, ref string error)
    {
        handle = 0;
        undefined = null;
        try
        {
            // A folder of our own (mode 0700): nobody else can put a library there. Once mapped the file is not needed.
            var folder = Directory.CreateTempSubdirectory("antransformer-");
            try
            {
                var path = Path.Combine(folder.FullName, NativeLibraries.FileName("LibTorchSharp"));
                File.WriteAllBytes(path, image);
                return DynamicLoader.TryLoadBound(path, out handle, out undefined, out error);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = error.Length > 0 ? error : e.Message;
            return false;
        }
    }
}
