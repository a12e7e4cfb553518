using AnTransformer.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary>Matrices of the same width whose rows follow each other in memory, as one matrix.</summary>
internal static class AdjacentRows
{
    /// <summary>
    /// One matrix of all, [rows, width], outside the graph: a view where they lie next to each other, else a copy.
    /// </summary>
    /// <param name="parts">[rows, width] each.</param>
    public static Tensor Of(IReadOnlyList<Tensor> parts)
        => parts.Count == 1 ? parts[0].detach() : View(parts) ?? cat(parts.Select(part => part.detach()).ToList(), 0);

    /// <summary>
    /// The gradients of parameters as one matrix to add to; null where there are none yet or they lie apart.
    /// </summary>
    /// <param name="parameters">[rows, width] each.</param>
    public static Tensor? Gradients(IReadOnlyList<Parameter> parameters)
    {
        var found = FindGradients(parameters);
        Dispatch.Record(Operation.ParameterGradient, found is null ? DispatchPath.Fresh : DispatchPath.InPlace);
        return found;
    }

    private static Tensor? FindGradients(IReadOnlyList<Parameter> parameters)
    {
        var gradients = new List<Tensor>();
        foreach (var parameter in parameters)
        {
            if (!BackwardPass.IsRunning || !parameter.requires_grad || parameter.grad is not { } gradient
                || gradient.dtype != parameter.dtype)
                return null;
            gradients.Add(gradient);
        }

        return gradients.Count == 1 ? gradients[0] : View(gradients);
    }

    private static Tensor? View(IReadOnlyList<Tensor> parts)
    {
        var first = parts[0];
        var (width, size, rows) = (first.shape[1], first.element_size(), 0L);
        var (start, offset) = (TensorMemory.Address(first), first.storage_offset());
        foreach (var part in parts)
        {
            // The same memory block as well: what lies next to each other by chance must not be seen through one of
            // them.
            var distance = rows * width;
            if (!part.is_contiguous() || part.shape[1] != width || part.dtype != first.dtype
                || TensorMemory.Address(part) != start + (nint)(distance * size)
                || part.storage_offset() != offset + distance)
            {
                return null;
            }

            rows += part.shape[0];
        }

        return first.detach().as_strided([rows, width], [width, 1], offset);
    }
}
