using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using AnTransformer.Native;

namespace AnTransformer.Kernels;

/// <summary>
/// Lets this assembly's calls into TorchSharp's native library (<see cref="LibTorch"/>) find it. It runs before
/// anything of this assembly does and touches <see cref="LibTorch"/>, whose own initializer readies the loading: a user
/// of the library has nothing to call.
/// </summary>
internal static class NativeImports
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Registers a resolver; all use of TorchSharp depends on it.")]
    internal static void Register() => LibTorch.ServeImportsOf(typeof(NativeImports).Assembly);
}
