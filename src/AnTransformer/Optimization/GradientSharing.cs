using System.Runtime.InteropServices;
using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// The gradients of a step that several processes compute together. The flat buffer is summed in parts, each as soon
/// as the last micro-batch's backward pass is done with it: the head's matrix, then block after block, then the rest.
/// </summary>
/// <remarks>
/// Deterministic sums are made in one binary tree over the micro-batches of all processes, so that 1, 2 or 4 processes
/// get the same bits. That needs a buffer for each level of the tree, and sends when all micro-batches are done.
/// </remarks>
public sealed unsafe class GradientSharing : IDisposable
{
    private readonly LanguageModel _model;
    private readonly GradientDtype _dtype;
    private readonly bool _deterministic;
    private readonly IReadOnlyList<BufferSegment?> _announced = [];
    private readonly List<(Task Task, long First, long End)> _sums = [];
    private readonly List<Tensor?> _levels = [];

    /// <summary>Prepares to share a model's gradients.</summary>
    /// <param name="model">The model; not owned.</param>
    /// <param name="group">The processes; not owned.</param>
    /// <param name="dtype">In what gradients travel.</param>
    /// <param name="deterministic">Whether sums are to have the same bits with any power of two of processes.</param>
    /// <exception cref="InvalidInputException">
    /// Several processes are to sum where the group cannot, or a number of them that is no power of two
    /// deterministically.
    /// </exception>
    public GradientSharing(
        LanguageModel model, ProcessGroup group, GradientDtype dtype = GradientDtype.Fp32, bool deterministic = false)
    {
        (_model, Group, _dtype, _deterministic) = (model, group, dtype, deterministic);
        if (group.Size == 1)
            return;
        if (model.Context.Device.type != TorchSharp.DeviceType.CPU && !group.SumsOnCuda)
        {
            throw new InvalidInputException(
                "processes that MPI connects train on the CPU only; use --device cpu, or --distributed nccl for GPUs.");
        }

        if (group.SumsOnCuda && (deterministic || dtype != GradientDtype.Fp32))
        {
            throw new InvalidInputException(
                "GPUs sum in fp32 and in NCCL's own order; leave out distributed.deterministic and gradient_dtype.");
        }

        if (deterministic && !System.Numerics.BitOperations.IsPow2(group.Size))
        {
            throw new InvalidInputException(
                $"distributed.deterministic needs a power of two of processes, and there are {group.Size}; start "
                    + "another number.");
        }

        _announced = AnnouncedSegments.Of(model);
    }

    /// <summary>The processes.</summary>
    public ProcessGroup Group { get; }

    /// <summary>How processes share the optimizer; null where each has all of it.</summary>
    internal OptimizerShards? Shards { get; set; }

    /// <summary>Parts of the buffer that were sent before the backward pass had ended, for tests.</summary>
    internal Action<long, long>? Sent { get; set; }

    /// <summary>Before the forward pass of a micro-batch.</summary>
    /// <param name="isLast">Whether no other follows in this step.</param>
    internal void BeginMicroBatch(bool isLast)
        => _model.GradientsReady = isLast && Group.Size > 1 && !_deterministic ? SendEarly : null;

    /// <summary>After its backward pass.</summary>
    internal void EndMicroBatch()
    {
        _model.GradientsReady = null;
        if (_deterministic)
            Climb();
    }

    /// <summary>Waits for the gradients of all processes.</summary>
    /// <param name="losses">Shares of the loss of this process's micro-batches.</param>
    /// <returns>The loss of the step.</returns>
    internal double Finish(List<double> losses)
    {
        if (_deterministic)
            Descend();
        if (Group.Size == 1)
            return losses.Sum();
        using var gradients = _model.Store.Gradients();
        long at = 0;
        foreach (var (_, first, end) in _sums.OrderBy(sum => sum.First).ToList())
        {
            Send(gradients, at, first);
            at = end;
        }

        Send(gradients, at, _model.Store.Count);
        // In the order of the micro-batches, so that the sum is that of one process.
        var loss = Group.Gather(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(losses)).ToArray())
            .SelectMany(bytes => MemoryMarshal.Cast<byte, double>(bytes).ToArray()).Sum();
        foreach (var (task, _, _) in _sums)
            task.GetAwaiter().GetResult();
        _sums.Clear();
        return loss;
    }

    /// <inheritdoc/>
    public void Dispose() => _levels.ForEach(level => level?.Dispose());

    private void SendEarly(int index)
    {
        if (_announced[index] is not { } segment)
            return;
        using var gradients = _model.Store.Gradients();
        Sent?.Invoke(segment.First, segment.End);
        Send(gradients, segment.First, segment.End);
    }

    private void Send(Tensor gradients, long first, long end)
    {
        if (first >= end)
            return;
        var address = (float*)TensorMemory.Address(gradients);
        var sum = Shards is null
            ? Group.StartSum(address + first, end - first, _dtype)
            : Group.StartReduceScatter(address, Shards.PartsWithin(first, end), _dtype);
        _sums.Add((sum, first, end));
    }

    /// <summary>Adds a micro-batch to the tree: two sums of one level become one of the next.</summary>
    private void Climb()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var gradients = _model.Store.Gradients();
        for (var level = 0; ; level++)
        {
            if (level == _levels.Count)
                _levels.Add(null);
            if (_levels[level] is not { } earlier)
            {
                _levels[level] = gradients.clone().DetachFromDisposeScope();
                gradients.zero_();
                return;
            }

            gradients.copy_(earlier + gradients);
            earlier.Dispose();
            _levels[level] = null;
        }
    }

    /// <summary>The tree's root; what is left of a number of micro-batches that is no power of two joins it.</summary>
    private void Descend()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var gradients = _model.Store.Gradients();
        for (var level = 0; level < _levels.Count; level++)
        {
            if (_levels[level] is not { } sum)
                continue;
            gradients.add_(sum);
            sum.Dispose();
            _levels[level] = null;
        }
    }
}
