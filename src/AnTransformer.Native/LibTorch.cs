using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace AnTransformer.Native;

/// <summary>
/// Makes TorchSharp's native libraries load without a manual step: on systems whose libstdc++ is older than
/// TorchSharp's, and from a LibTorch or PyTorch folder named by <see cref="EnvironmentVariable"/>.
/// </summary>
/// <remarks>
/// <para>Nothing has to be called: this assembly's module initializer registers a handler, and TorchSharp's first
/// attempt to load a native library ends there. The runtime runs a module initializer before the first use of anything
/// in the assembly; that of the models' library runs this one, and the package adds one to applications, too, for those
/// that use TorchSharp before either (elsewhere they call <see cref="EnsureLoaded"/> first). Command lines call it as
/// well, to get errors as <see cref="LibTorchLoadException"/> rather than inside a
/// <see cref="TypeInitializationException"/>.</para>
/// <para>TorchSharp looks for <c>torch_cuda</c> before anything else, by
/// <see cref="NativeLibrary.TryLoad(string, Assembly, DllImportSearchPath?, out nint)"/>, which asks
/// <see cref="AssemblyLoadContext.ResolvingUnmanagedDll"/> but not a resolver set by
/// <see cref="NativeLibrary.SetDllImportResolver"/>; the P/Invokes into <c>LibTorchSharp</c> ask the resolver first.
/// Both are set, the second when the first was called. See <see cref="BundledLibTorch"/> for a folder that takes the
/// place of a LibTorch that the application brings.</para>
/// </remarks>
public static class LibTorch
{
    /// <summary>
    /// Names a LibTorch or PyTorch <c>lib</c> folder to load instead of the package's: libtorch, libtorch_cpu, libc10
    /// and, where there are, their CUDA companions. TorchSharp's own native library still comes from its package.
    /// </summary>
    public const string EnvironmentVariable = "ANTRANSFORMER_LIBTORCH";

    private static readonly Lock Gate = new();
    private static LibTorchLoader.Handles? s_handles;
    private static LibTorchLoadException? s_failure;
    private static bool s_resolverIsSet;
    private static bool s_bundledIsHidden;

    /// <summary>Loads LibTorch now, if it is not loaded already.</summary>
    /// <returns>What was loaded.</returns>
    /// <exception cref="LibTorchLoadException">
    /// It cannot be loaded; the message names the cause and the remedy.
    /// </exception>
    public static LibTorchInfo EnsureLoaded()
    {
        var handles = LoadOnce();
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
        }
        catch (Exception e) when (e is TypeInitializationException or NotSupportedException or DllNotFoundException
            or BadImageFormatException or EntryPointNotFoundException)
        {
            throw e.GetBaseException() as LibTorchLoadException
                ?? new LibTorchLoadException(
                    "TorchSharp cannot load its native libraries: " + e.GetBaseException().Message, e);
        }

        return handles?.Info
            ?? new LibTorchInfo(null, null, IsRelaxedCopy: false, HasCuda: false, UndefinedSymbol: null);
    }

    /// <summary>Address of a function that <c>torch_cpu</c> exports, or 0.</summary>
    internal static nint FindExport(string name)
    {
        EnsureLoaded();
        return s_handles is { } handles && NativeLibrary.TryGetExport(handles.TorchCpu, name, out var address)
            ? address
            : 0;
    }

    /// <summary>
    /// Lets an assembly call TorchSharp's native library directly, for what TorchSharp has no binding for.
    /// </summary>
    /// <param name="assembly">The assembly with the P/Invokes, which has no resolver of its own.</param>
    internal static void ServeImportsOf(Assembly assembly)
        => NativeLibrary.SetDllImportResolver(assembly, ResolveImport);

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Registers a handler; all use of TorchSharp depends on it.")]
    internal static void Register()
    {
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        if (AssemblyLoadContext.GetLoadContext(typeof(LibTorch).Assembly) is { } own
            && own != AssemblyLoadContext.Default)
            own.ResolvingUnmanagedDll += Resolve;
        HideBundled();
    }

    /// <summary>
    /// Where the user names a folder and the application brings a LibTorch, the handler would come too late:
    /// TorchSharp's first request is served from the application's folder.
    /// </summary>
    private static void HideBundled()
    {
        if (!OperatingSystem.IsLinux() || ChosenFolder() is not { } chosen
            || BundledLibTorch.Find(chosen, NativeLibraries.SearchDirectories()) is not { } bundled
            || DynamicLoader.IsLoaded(bundled))
        {
            return;
        }

        SetResolver();
        if (!s_resolverIsSet)
            return;
        try
        {
            BundledLibTorch.Hide();
            s_bundledIsHidden = true;
        }
        catch (LibTorchLoadException e)
        {
            s_failure = e;
        }
    }

    private static nint Resolve(Assembly assembly, string name)
    {
        if (name is not ("torch_cuda" or "torch_cpu" or "LibTorchSharp"))
            return 0;

        try
        {
            var handles = LoadOnce();
            if (handles is null)
                return 0;
            return name switch
            {
                "torch_cpu" => handles.TorchCpu,
                "torch_cuda" => handles.TorchCuda,
                _ => handles.LibTorchSharp,
            };
        }
        catch (LibTorchLoadException)
        {
            // TorchSharp hides exceptions raised here and reports a missing package. It is told that its library is
            // there, so that its first P/Invoke asks the resolver, whose exception it does not hide.
            return name == "LibTorchSharp" && s_resolverIsSet ? NativeLibrary.GetMainProgramHandle() : 0;
        }
    }

    private static nint ResolveImport(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "LibTorchSharp" ? LoadOnce()?.LibTorchSharp ?? 0 : 0;

    /// <summary>Null where TorchSharp needs no help: not on Linux, and no folder is named.</summary>
    private static LibTorchLoader.Handles? LoadOnce()
    {
        var chosen = ChosenFolder();
        if (!OperatingSystem.IsLinux() && chosen is null)
            return null;

        lock (Gate)
        {
            if (s_failure is not null)
                throw new LibTorchLoadException(s_failure.Message, s_failure);
            if (s_handles is not null)
                return s_handles;
            SetResolver();
            try
            {
                var directories = NativeLibraries.SearchDirectories();
                if (chosen is not null && BundledLibTorch.Find(chosen, directories) is { } bundled
                    && !CanReplace(bundled))
                {
                    throw new LibTorchLoadException(
                        $"{EnvironmentVariable} names '{chosen}', but the application has loaded its own {bundled} "
                            + "already; "
                        + "call LibTorch.EnsureLoaded before TorchSharp is used, unset the variable, or build with "
                        + "-p:LibTorchBackend=none.");
                }

                OpenMpWaiting.Prepare();
                return s_handles = LibTorchLoader.Load(chosen, directories);
            }
            catch (LibTorchLoadException e)
            {
                s_failure = e;
                throw;
            }
        }
    }

    private static string? ChosenFolder() =>
        Environment.GetEnvironmentVariable(EnvironmentVariable) is { } value && !string.IsNullOrWhiteSpace(value)
            ? Path.GetFullPath(value)
            : null;

    private static bool CanReplace(string bundled) => s_bundledIsHidden && !DynamicLoader.IsLoaded(bundled);

    private static void SetResolver()
    {
        if (s_resolverIsSet)
            return;
        try
        {
            NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, ResolveImport);
            s_resolverIsSet = true;
        }
        catch (InvalidOperationException)
        {
            // The application has set its own; the handler above still serves what that one leaves to the runtime.
        }
    }
}
