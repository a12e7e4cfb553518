using System.Runtime.InteropServices;

namespace AnTransformer.Kernels.Cuda;

/// <summary>
/// The few functions of CUDA's driver that load and launch kernels (CUDA Driver API, sections 6.2 to 6.22).
/// </summary>
internal sealed unsafe class CudaDriver
{
    private const int MultiprocessorCount = 16;
    private const int CapabilityMajor = 75;
    private const int CapabilityMinor = 76;

    /// <summary>What the driver's library is called on this system.</summary>
    public static string[] SystemNames => OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    private readonly delegate* unmanaged<int, byte**, int> _errorString;
    private readonly delegate* unmanaged<int*, int, int> _deviceGet;
    private readonly delegate* unmanaged<int*, int, int, int> _deviceGetAttribute;
    private readonly delegate* unmanaged<nint*, int, int> _primaryContextRetain;
    private readonly delegate* unmanaged<nint*, int> _contextGetCurrent;
    private readonly delegate* unmanaged<nint, int> _contextSetCurrent;
    private readonly delegate* unmanaged<nint*, void*, int> _moduleLoadData;
    private readonly delegate* unmanaged<nint, int> _moduleUnload;
    private readonly delegate* unmanaged<nint*, nint, byte*, int> _moduleGetFunction;
    private readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>
        _launchKernel;

    /// <summary>Loads the driver's library.</summary>
    /// <param name="names">Its possible names or paths.</param>
    /// <exception cref="CudaUnavailableException">There is no driver, or it finds no device.</exception>
    public CudaDriver(params ReadOnlySpan<string> names)
    {
        var library = NativeExports.Load(names)
            ?? throw new CudaUnavailableException("NVIDIA's driver (libcuda) is not installed");
        _errorString = (delegate* unmanaged<int, byte**, int>)library.Required("cuGetErrorString");
        _deviceGet = (delegate* unmanaged<int*, int, int>)library.Required("cuDeviceGet");
        _deviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)library.Required("cuDeviceGetAttribute");
        _primaryContextRetain = (delegate* unmanaged<nint*, int, int>)library.Required("cuDevicePrimaryCtxRetain");
        _contextGetCurrent = (delegate* unmanaged<nint*, int>)library.Required("cuCtxGetCurrent");
        _contextSetCurrent = (delegate* unmanaged<nint, int>)library.Required("cuCtxSetCurrent");
        _moduleLoadData = (delegate* unmanaged<nint*, void*, int>)library.Required("cuModuleLoadData");
        _moduleUnload = (delegate* unmanaged<nint, int>)library.Required("cuModuleUnload");
        _moduleGetFunction = (delegate* unmanaged<nint*, nint, byte*, int>)library.Required("cuModuleGetFunction");
        _launchKernel = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)
            library.Required("cuLaunchKernel");
        Check(((delegate* unmanaged<uint, int>)library.Required("cuInit"))(0), "cuInit");
    }

    /// <summary>
    /// A device's compute capability (90 for 9.0), its number of multiprocessors and its primary context.
    /// </summary>
    /// <param name="ordinal">The device's number as CUDA and LibTorch count.</param>
    public (int Capability, int Multiprocessors, nint Context) Open(int ordinal)
    {
        int device;
        Check(_deviceGet(&device, ordinal), "cuDeviceGet");
        int major, minor, multiprocessors;
        Check(_deviceGetAttribute(&major, CapabilityMajor, device), "cuDeviceGetAttribute");
        Check(_deviceGetAttribute(&minor, CapabilityMinor, device), "cuDeviceGetAttribute");
        Check(_deviceGetAttribute(&multiprocessors, MultiprocessorCount, device), "cuDeviceGetAttribute");
        // Never released: LibTorch works in this context as long as the process lives.
        nint context;
        Check(_primaryContextRetain(&context, device), "cuDevicePrimaryCtxRetain");
        return ((major * 10) + minor, multiprocessors, context);
    }

    /// <summary>
    /// Makes a context this thread's current one. A thread that has none, as autograd's own may, keeps it.
    /// </summary>
    /// <param name="context">A primary context.</param>
    /// <returns>The context to restore, or 0 where there is nothing to restore.</returns>
    public nint Enter(nint context)
    {
        nint current;
        Check(_contextGetCurrent(&current), "cuCtxGetCurrent");
        if (current == context)
            return 0;
        Check(_contextSetCurrent(context), "cuCtxSetCurrent");
        return current;
    }

    /// <summary>Undoes <see cref="Enter"/>.</summary>
    /// <param name="previous">What it returned.</param>
    public void Leave(nint previous)
    {
        if (previous != 0)
            Check(_contextSetCurrent(previous), "cuCtxSetCurrent");
    }

    /// <summary>Loads compiled code (a cubin, or PTX that ends with a zero) into the current context.</summary>
    /// <param name="image">The code.</param>
    public nint Load(byte[] image)
    {
        nint module;
        fixed (byte* data = image)
            Check(_moduleLoadData(&module, data), "cuModuleLoadData");
        return module;
    }

    /// <summary>Unloads a module.</summary>
    /// <param name="module">From <see cref="Load"/>.</param>
    public void Unload(nint module) => _ = _moduleUnload(module);

    /// <summary>An entry point of a module.</summary>
    /// <param name="module">From <see cref="Load"/>.</param>
    /// <param name="name">The entry point's name.</param>
    public nint Function(nint module, string name)
    {
        var text = Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            nint function;
            Check(_moduleGetFunction(&function, module, (byte*)text), $"cuModuleGetFunction({name})");
            return function;
        }
        finally
        {
            Marshal.FreeCoTaskMem(text);
        }
    }

    /// <summary>Launches a kernel of one argument on the default stream, which LibTorch uses as well.</summary>
    /// <param name="function">From <see cref="Function"/>.</param>
    /// <param name="shape">Blocks and threads.</param>
    /// <param name="argument">The argument's address; it is copied.</param>
    /// <returns>0, or the driver's error.</returns>
    public int Launch(nint function, LaunchShape shape, void* argument)
        => _launchKernel(
            function, (uint)shape.X, (uint)shape.Y, 1, (uint)shape.Block, 1, 1, (uint)shape.SharedBytes, 0, &argument,
            null);

    /// <summary>The driver's words on an error.</summary>
    /// <param name="error">Its number.</param>
    public string Describe(int error)
    {
        byte* text = null;
        return _errorString(error, &text) == 0 && Marshal.PtrToStringUTF8((nint)text) is { } words
            ? $"{words} (error {error})"
            : $"error {error}";
    }

    private void Check(int error, string call)
    {
        if (error != 0)
            throw new CudaUnavailableException($"{call}: {Describe(error)}");
    }
}
