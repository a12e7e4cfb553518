using System.Runtime.InteropServices;

namespace AnTransformer.Native;

/// <summary>The operating system's loader, with its flags and its own words on what went wrong.</summary>
internal static partial class DynamicLoader
{
    private const int RtldLazy = 1;
    private const int RtldNow = 2;
    private static readonly int RtldGlobal = OperatingSystem.IsMacOS() ? 8 : 0x100;
    private static readonly int RtldNoLoad = OperatingSystem.IsMacOS() ? 0x10 : 4;
    private static readonly Lock Gate = new();

    /// <summary>How symbols are bound.</summary>
    [Flags]
    public enum Binding
    {
        /// <summary>Functions are looked up when first called.</summary>
        Lazy = 0,

        /// <summary>Everything is looked up at once, so that a symbol that is missing is an error here.</summary>
        Now = 1,

        /// <summary>Symbols serve libraries that are loaded later.</summary>
        Global = 2,
    }

    /// <summary>Loads a library.</summary>
    /// <param name="path">A full path, or a name for the system's search.</param>
    /// <param name="binding">Ignored on Windows.</param>
    /// <param name="handle">The library's handle, or 0.</param>
    /// <param name="error">The loader's message, or the empty string.</param>
    /// <returns>True when the library is loaded.</returns>
    public static bool TryLoad(string path, Binding binding, out nint handle, out string error)
    {
        error = "";
        if (OperatingSystem.IsWindows())
        {
            try
            {
                handle = NativeLibrary.Load(path);
                return true;
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                handle = 0;
                error = e.Message;
                return false;
            }
        }

        var flags =
            (binding.HasFlag(Binding.Now) ? RtldNow : RtldLazy) | (binding.HasFlag(Binding.Global) ? RtldGlobal : 0);
        lock (Gate)
        {
            // The first call binds dlerror itself, which would otherwise overwrite the message that we want to read.
            _ = DlError();
            handle = DlOpen(path, flags);
            if (handle == 0)
                error = Marshal.PtrToStringUTF8(DlError()) ?? "unknown error";
        }

        return handle != 0;
    }

    /// <summary>
    /// Loads a library with every symbol bound, so that one that is missing is found here rather than by the call that
    /// would end the process; where one is missing, loads it nevertheless and says which.
    /// </summary>
    /// <param name="path">A full path.</param>
    /// <param name="handle">The library's handle, or 0.</param>
    /// <param name="undefined">The loader's message on the first missing symbol, or null.</param>
    /// <param name="error">The loader's message where the library is not loaded.</param>
    public static bool TryLoadBound(string path, out nint handle, out string? undefined, out string error)
    {
        undefined = null;
        if (TryLoad(path, Binding.Now, out handle, out error))
            return true;
        if (!error.Contains("undefined symbol", StringComparison.Ordinal))
            return false;
        undefined = error;
        return TryLoad(path, Binding.Lazy, out handle, out error);
    }

    /// <summary>The library at this path is loaded in this process (never true on Windows).</summary>
    /// <param name="path">A full path.</param>
    public static bool IsLoaded(string path)
        => !OperatingSystem.IsWindows() && DlOpen(path, RtldLazy | RtldNoLoad) != 0;

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint DlOpen(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dlerror")]
    private static partial nint DlError();
}
