namespace AnTransformer.Native;

/// <summary>Which native libraries this process computes with.</summary>
/// <param name="Directory">The folder of LibTorch, or null where the system's loader found it on its own.</param>
/// <param name="LibTorchSharp">
/// The file of TorchSharp's native library, or null where TorchSharp found it on its own.
/// </param>
/// <param name="IsRelaxedCopy">
/// A copy of TorchSharp's native library was loaded that does without the newest versions of the system's libstdc++.
/// </param>
/// <param name="HasCuda">
/// The folder holds a CUDA (or ROCm) back end, which was loaded; whether it has a device is open.
/// </param>
/// <param name="UndefinedSymbol">
/// Null, or the loader's message on a symbol that this LibTorch lacks: it is another version than TorchSharp was built
/// for. Everything else works, but the operation behind that symbol ends the process.
/// </param>
public sealed record LibTorchInfo(
    string? Directory, string? LibTorchSharp, bool IsRelaxedCopy, bool HasCuda, string? UndefinedSymbol);
