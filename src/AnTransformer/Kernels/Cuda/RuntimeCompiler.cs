using System.Text;

namespace AnTransformer.Kernels.Cuda;

/// <summary>NVIDIA's run-time compiler, NVRTC: CUDA C++ to code for one device.</summary>
internal sealed unsafe class RuntimeCompiler
{
    private readonly delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int> _createProgram;
    private readonly delegate* unmanaged<nint, int, byte**, int> _compileProgram;
    private readonly delegate* unmanaged<nint*, int> _destroyProgram;
    private readonly delegate* unmanaged<nint, nuint*, int> _logSize;
    private readonly delegate* unmanaged<nint, byte*, int> _log;
    private readonly delegate* unmanaged<nint, nuint*, int> _ptxSize;
    private readonly delegate* unmanaged<nint, byte*, int> _ptx;
    private readonly delegate* unmanaged<nint, nuint*, int> _cubinSize;
    private readonly delegate* unmanaged<nint, byte*, int> _cubin;
    private readonly NativeExports _library;

    private RuntimeCompiler(NativeExports library)
    {
        _library = library;
        _createProgram = (delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)
            library.Required("nvrtcCreateProgram");
        _compileProgram = (delegate* unmanaged<nint, int, byte**, int>)library.Required("nvrtcCompileProgram");
        _destroyProgram = (delegate* unmanaged<nint*, int>)library.Required("nvrtcDestroyProgram");
        _logSize = (delegate* unmanaged<nint, nuint*, int>)library.Required("nvrtcGetProgramLogSize");
        _log = (delegate* unmanaged<nint, byte*, int>)library.Required("nvrtcGetProgramLog");
        _ptxSize = (delegate* unmanaged<nint, nuint*, int>)library.Required("nvrtcGetPTXSize");
        _ptx = (delegate* unmanaged<nint, byte*, int>)library.Required("nvrtcGetPTX");
        // Since 11.1; the driver compiles PTX otherwise.
        _cubinSize = (delegate* unmanaged<nint, nuint*, int>)library.Optional("nvrtcGetCUBINSize");
        _cubin = (delegate* unmanaged<nint, byte*, int>)library.Optional("nvrtcGetCUBIN");
        int major, minor;
        Check(((delegate* unmanaged<int*, int*, int>)library.Required("nvrtcVersion"))(&major, &minor), "nvrtcVersion");
        Version = $"{major}.{minor}";
    }

    /// <summary>The compiler's version, for example 12.8.</summary>
    public string Version { get; }

    /// <summary>Loads a compiler.</summary>
    /// <param name="path">A full path, or a name for the system's search.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="CudaUnavailableException">It is not NVRTC, or too old.</exception>
    public static RuntimeCompiler? Load(string path) => NativeExports.Load(path) is { } library ? new(library) : null;

    /// <summary>
    /// The value of <c>--gpu-architecture</c>: the device's own where the compiler knows it, else the newest before it,
    /// whose PTX the driver compiles.
    /// </summary>
    /// <param name="capability">Compute capability, 90 for 9.0.</param>
    public string Architecture(int capability)
    {
        var known = KnownArchitectures();
        if (_cubin is not null && (known.Length == 0 || known.Contains(capability)))
            return $"sm_{capability}";
        return $"compute_{known.Where(architecture => architecture <= capability).DefaultIfEmpty(capability).Max()}";
    }

    /// <summary>Compiles a program.</summary>
    /// <param name="source">CUDA C++.</param>
    /// <param name="architecture">From <see cref="Architecture"/>.</param>
    /// <returns>A cubin for <c>sm_…</c>, PTX for <c>compute_…</c>.</returns>
    /// <exception cref="CudaUnavailableException">
    /// It does not compile; the message has the compiler's first lines.
    /// </exception>
    public byte[] Compile(string source, string architecture)
    {
        nint program = 0;
        var text = Encoding.UTF8.GetBytes(source + '\0');
        var architectureOption = Encoding.UTF8.GetBytes($"--gpu-architecture={architecture}\0");
        fixed (byte* code = text, first = architectureOption, second = "--std=c++17\0"u8)
        {
            Check(_createProgram(&program, code, null, 0, null, null), "nvrtcCreateProgram");
            try
            {
                var options = stackalloc byte*[] { first, second };
                if (_compileProgram(program, 2, options) is not 0 and var error)
                    throw new CudaUnavailableException(
                        $"NVRTC {Version} does not compile them (error {error}): {Log(program)}");
                return architecture.StartsWith("sm_", StringComparison.Ordinal)
                    ? Output(program, _cubinSize, _cubin, "nvrtcGetCUBIN")
                    : Output(program, _ptxSize, _ptx, "nvrtcGetPTX");
            }
            finally
            {
                _ = _destroyProgram(&program);
            }
        }
    }

    private int[] KnownArchitectures()
    {
        var count = (delegate* unmanaged<int*, int>)_library.Optional("nvrtcGetNumSupportedArchs");
        var list = (delegate* unmanaged<int*, int>)_library.Optional("nvrtcGetSupportedArchs");
        int number;
        if (count is null || list is null || count(&number) != 0 || number <= 0)
            return [];
        var known = new int[number];
        fixed (int* first = known)
            return list(first) == 0 ? known : [];
    }

    private string Log(nint program)
    {
        nuint size;
        if (_logSize(program, &size) != 0 || size <= 1)
            return "no message";
        var log = new byte[(int)size];
        fixed (byte* first = log)
        {
            if (_log(program, first) != 0)
                return "no message";
        }

        var lines = Encoding.UTF8.GetString(log).TrimEnd('\0').Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return string.Join(" | ", lines.Take(6).Select(line => line.Trim()));
    }

    private static byte[] Output(
        nint program, delegate* unmanaged<nint, nuint*, int> getSize, delegate* unmanaged<nint, byte*, int> get,
        string call)
    {
        nuint size;
        Check(getSize(program, &size), call + "Size");
        if (size == 0)
            throw new CudaUnavailableException(call + " has no output");
        var output = new byte[(int)size];
        fixed (byte* first = output)
            Check(get(program, first), call);
        return output;
    }

    private static void Check(int error, string call)
    {
        if (error != 0)
            throw new CudaUnavailableException($"{call} failed with error {error}");
    }
}
