using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <summary>Runs the kernels on one CUDA device, on LibTorch's default stream.</summary>
internal sealed class CudaLauncher : IKernelLauncher
{
    private readonly CudaDriver _driver;
    private readonly nint _context;
    private readonly nint _module;
    private readonly int _ordinal;
    private readonly Device _device;
    private readonly ConcurrentDictionary<string, nint> _functions = new();

    private CudaLauncher(CudaDriver driver, int ordinal, int multiprocessors, nint context, nint module)
    {
        (_driver, _ordinal, Multiprocessors, _context, _module) = (driver, ordinal, multiprocessors, context, module);
        _device = new Device(DeviceType.CUDA, ordinal);
    }

    /// <inheritdoc/>
    public int Multiprocessors { get; }

    /// <summary>Compiles the kernels for a device, or finds them compiled.</summary>
    /// <param name="ordinal">The device's number.</param>
    /// <param name="drivers">Possible names of the driver's library.</param>
    /// <param name="compilers">NVRTC's possible places.</param>
    /// <param name="cache">Where compiled kernels are kept.</param>
    /// <exception cref="CudaUnavailableException">Something is missing or fails.</exception>
    public static CudaLauncher Create(int ordinal, string[] drivers, IEnumerable<string> compilers, KernelCache cache)
    {
        var driver = new CudaDriver(drivers);
        var (capability, multiprocessors, context) = driver.Open(ordinal);
        var previous = driver.Enter(context);
        try
        {
            var source = CudaSource.Program(CudaSource.Names);
            string? problem = null;
            foreach (var path in compilers)
            {
                try
                {
                    if (RuntimeCompiler.Load(path) is not { } compiler)
                        continue;
                    var module = LoadModule(driver, compiler, source, capability, cache);
                    return new(driver, ordinal, multiprocessors, context, module);
                }
                catch (CudaUnavailableException e)
                {
                    // Another one may fit the driver better; the first, which is nearest to LibTorch, tells most.
                    problem ??= $"{path}: {e.Message}";
                }
            }

            throw new CudaUnavailableException(problem ?? "NVIDIA's run-time compiler (libnvrtc) was not found");
        }
        finally
        {
            driver.Leave(previous);
        }
    }

    /// <inheritdoc/>
    public bool Holds(Tensor tensor) => tensor.device_type == DeviceType.CUDA && tensor.device_index == _ordinal;

    /// <inheritdoc/>
    public unsafe void Launch<T>(string kernel, LaunchShape shape, in T arguments)
        where T : unmanaged
    {
        var previous = _driver.Enter(_context);
        try
        {
            var function = _functions.GetOrAdd(kernel, name => _driver.Function(_module, name));
            fixed (T* first = &arguments)
            {
                if (_driver.Launch(function, shape, first) is not 0 and var error)
                    throw new CudaUnavailableException(_driver.Describe(error));
            }
        }
        catch (CudaUnavailableException e)
        {
            throw new InvalidOperationException($"The kernel {kernel} could not be launched: {e.Message}.", e);
        }
        finally
        {
            _driver.Leave(previous);
        }
    }

    /// <inheritdoc/>
    public Tensor Empty(long[] shape, ScalarType dtype) => empty(shape, dtype: dtype, device: _device);

    private static nint LoadModule(
        CudaDriver driver, RuntimeCompiler compiler, string source, int capability, KernelCache cache)
    {
        var architecture = compiler.Architecture(capability);
        var key = KernelCache.Key(source, architecture, compiler.Version);
        if (cache.Find(key) is { } kept)
        {
            try
            {
                return Verified(driver, driver.Load(kept));
            }
            catch (CudaUnavailableException)
            {
                // Whole but of no use to this driver: compile again.
            }
        }

        var code = compiler.Compile(source, architecture);
        var module = Verified(driver, driver.Load(code));
        cache.Keep(key, code);
        return module;
    }

    /// <summary>Looks one entry point up, so that a module without them fails here.</summary>
    private static nint Verified(CudaDriver driver, nint module)
    {
        try
        {
            driver.Function(module, "column_sum_f32");
            return module;
        }
        catch (CudaUnavailableException)
        {
            driver.Unload(module);
            throw;
        }
    }
}
