using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Kernels;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Training.Loop;

/// <summary>Weights and moments that are the same on all processes.</summary>
internal static unsafe class Replication
{
    /// <summary>Gives everybody those of rank 0.</summary>
    /// <param name="group">The processes.</param>
    /// <param name="model">Its weights.</param>
    /// <param name="optimizer">Its state.</param>
    /// <param name="outer">What joins processes that train by themselves; null for none.</param>
    /// <param name="loaded">
    /// What rank 0 has loaded of a state that processes share; null for the one that they begin with.
    /// </param>
    public static void Give(
        ProcessGroup group, LanguageModel model, Optimizer optimizer, OuterOptimizer? outer,
        IReadOnlyList<KeyValuePair<string, Tensor>>? loaded)
    {
        if (group.Size == 1)
            return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Give(group, model.Store.Values());
        if (!group.Any(loaded is not null))
            return;
        // Rows of their own for everybody, or all of it.
        if (optimizer.IsSharded)
            optimizer.ScatterState(loaded ?? []);
        else
            optimizer.State().Concat(outer?.State() ?? []).ToList().ForEach(item => Give(group, item.Value));
    }

    /// <summary>
    /// Why the weights of processes are not the same any more, which they always are; null if they are.
    /// </summary>
    /// <param name="group">The processes.</param>
    /// <param name="model">The model.</param>
    public static string? Difference(ProcessGroup group, LanguageModel model)
    {
        if (group.Size == 1)
            return null;
        using var weights = model.Store.Values();
        using var values = weights.cpu();
        var bits = new ReadOnlySpan<uint>((void*)TensorMemory.Address(values), checked((int)values.numel()));
        var hash = 14695981039346656037UL;
        foreach (var bit in bits)
            hash = (hash ^ bit) * 1099511628211UL;
        var all = group.Gather(BitConverter.GetBytes(hash));
        var other = Enumerable.Range(1, all.Count - 1).FirstOrDefault(
            rank => !all[rank].AsSpan().SequenceEqual(all[0]));
        return other == 0 ? null : $"the weights of rank {other} are not those of rank 0";
    }

    private static void Give(ProcessGroup group, Tensor tensor)
    {
        if (tensor.device_type == TorchSharp.DeviceType.CPU)
        {
            group.Broadcast((byte*)TensorMemory.Address(tensor), tensor.numel() * tensor.element_size());
            return;
        }

        using var host = tensor.cpu();
        Give(group, host);
        tensor.copy_(host);
    }
}
