using System.Runtime.InteropServices;

namespace AnTransformer.Distributed.Nccl;

/// <summary>
/// Processes with a GPU each: gradients are summed by NCCL where they lie, on CUDA's default stream, which the backward
/// pass computes on and the update follows; everything else goes by another group.
/// </summary>
/// <remarks>
/// NCCL chooses the order of a sum; with the same library and machines it is the same each time, if
/// <c>NCCL_NVLS_ENABLE=0</c> is set where switches sum.
/// </remarks>
internal sealed unsafe class NcclGroup : ProcessGroup
{
    private const int Float32 = 7;
    private const int Sum = 0;
    private const int InProgress = 7;
    private const nint DefaultStream = 0;
    private readonly ProcessGroup _control;
    private readonly NcclLibrary _nccl;
    private nint _communicator;

    /// <summary>Prepares the group; ranks find each other at the first sum, when the device is in use.</summary>
    /// <param name="control">The same processes, for what is not summed; owned from here on.</param>
    /// <param name="nccl">The library.</param>
    public NcclGroup(ProcessGroup control, NcclLibrary nccl) => (_control, _nccl) = (control, nccl);

    /// <inheritdoc/>
    public override int Rank => _control.Rank;

    /// <inheritdoc/>
    public override int Size => _control.Size;

    /// <inheritdoc/>
    public override bool SumsOnCuda => true;

    /// <inheritdoc/>
    public override Task StartSum(float* values, long count, GradientDtype dtype)
    {
        if (dtype != GradientDtype.Fp32)
            throw new InvalidInputException("NCCL sums in fp32 here; leave out distributed.gradient_dtype.");
        if (_communicator == 0)
            Connect();
        Check(
            _nccl.AllReduce(values, values, (nuint)count, Float32, Sum, _communicator, DefaultStream), "ncclAllReduce");
        int error;
        Check(_nccl.GetAsyncError(_communicator, &error), "ncclCommGetAsyncError");
        if (error != InProgress)
            Check(error, "a sum");
        return Task.CompletedTask;      // what follows on the stream finds the sums
    }

    /// <inheritdoc/>
    public override Task StartReduceScatter(
        float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts, GradientDtype dtype)
        => throw new InvalidInputException("distributed.shard_optimizer is not there for GPUs yet; leave it out.");

    /// <inheritdoc/>
    public override void AllGather(float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts)
        => throw new InvalidInputException("distributed.shard_optimizer is not there for GPUs yet; leave it out.");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Gather(byte[] mine) => _control.Gather(mine);

    /// <inheritdoc/>
    public override void Broadcast(Span<byte> bytes) => _control.Broadcast(bytes);

    /// <inheritdoc/>
    public override void Abort(int exitCode)
    {
        if (_communicator != 0)
            _ = _nccl.CommAbort(_communicator);
        _control.Abort(exitCode);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_communicator != 0)
            _ = _nccl.CommDestroy(_communicator);
        _communicator = 0;
        _control.Dispose();
    }

    private void Connect()
    {
        NcclUniqueId id;
        if (Rank == 0)
            Check(_nccl.GetUniqueId(&id), "ncclGetUniqueId");
        _control.Broadcast(id.Bytes);
        nint communicator;
        Check(_nccl.CommInitRank(&communicator, Size, id, Rank), "ncclCommInitRank");
        _communicator = communicator;
    }

    private void Check(int code, string what)
    {
        if (code != 0)
        {
            throw new IOException(
                $"{what} failed: {Marshal.PtrToStringUTF8(_nccl.GetErrorString(code))}; the job cannot go on.");
        }
    }
}
