using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// A node of LibTorch's autograd graph whose backward pass is C#. TorchSharp's own
/// <see cref="autograd.SingleTensorFunction{T}"/> does the same, but an exception in a backward pass ends the process
/// there, an unused copy of every output is allocated, and saved tensors and gradients live until the whole graph is
/// gone. Here they are released as soon as the node has run, and an exception reaches the caller of <c>backward()</c>.
/// </summary>
/// <remarks>
/// A graph of such nodes can be run once; <c>retain_graph</c> and second derivatives are refused with a clear error.
/// Parameters must not change between an operator's forward and backward pass. TorchSharp does not report failures of
/// <c>autograd.grad</c>; those of <c>backward</c> it does.
/// </remarks>
internal sealed unsafe partial class AutogradNode
{
    private static readonly HashSet<AutogradNode> Alive = [];

    private static ExceptionDispatchInfo? s_failure;

    [ThreadStatic]
    private static nint* t_handles;

    // Backward passes of CUDA tensors run on a thread of LibTorch's, graphs are deleted on any.
    [ThreadStatic]
    private static AutogradNode? t_previous;

    private readonly ApplyFunction _apply;
    private readonly Action _delete;
    private readonly int _inputs;
    private readonly IReadOnlyList<Tensor> _saved;
    private BackwardFunction? _backward;
    private IReadOnlyList<Tensor>? _returned;
    private NodePointers _pointers;

    private AutogradNode(int inputs, IReadOnlyList<Tensor> saved, BackwardFunction backward)
    {
        (_inputs, _saved, _backward) = (inputs, saved, backward);
        _apply = Apply;
        _delete = Delete;
        _pointers = THSAutograd_CSharpNode_ctor(
            Marshal.GetFunctionPointerForDelegate(_apply), Marshal.GetFunctionPointerForDelegate(_delete));
        CheckForErrors();
        lock (Alive)
            Alive.Add(this);
    }

    /// <summary>
    /// From the gradients of the outputs, null for those that nothing depends on, those of the inputs, in order; null
    /// where an input needs none. It owns none of its arguments, which have any layout; what it makes and does not
    /// return is disposed after it.
    /// </summary>
    public delegate IReadOnlyList<Tensor?> BackwardFunction(IReadOnlyList<Tensor?> gradients);

    private delegate TensorArray ApplyFunction(nint* gradients, int count);

    /// <summary>Why a backward pass failed, if one did since the last call.</summary>
    internal static ExceptionDispatchInfo? TakeFailure() => Interlocked.Exchange(ref s_failure, null);

    /// <summary>Whether an operator on these inputs has to be recorded.</summary>
    public static bool IsNeeded(params ReadOnlySpan<Tensor?> inputs)
    {
        if (!is_grad_enabled())
            return false;
        foreach (var input in inputs)
        {
            if (input is { requires_grad: true })
                return true;
        }

        return false;
    }

    /// <summary>
    /// A tensor on the same memory that belongs to no graph and no dispose scope, for a backward pass to use.
    /// </summary>
    public static Tensor Save(Tensor tensor) => tensor.detach().DetachFromDisposeScope();

    /// <summary>Makes a tensor the result of an operator in the graph.</summary>
    /// <param name="inputs">The operator's differentiable inputs.</param>
    /// <param name="output">Its result, computed outside the graph.</param>
    /// <param name="saved">
    /// Made by <see cref="Save"/>; disposed once the backward pass has run or the graph is gone.
    /// </param>
    /// <param name="backward">
    /// From the output's gradient, which is contiguous, those of the inputs, in order; null where an input needs none.
    /// It owns none of its arguments; what it makes and does not return is disposed after it.
    /// </param>
    public static void Record(
        IReadOnlyList<Tensor> inputs, Tensor output, IReadOnlyList<Tensor> saved,
        Func<Tensor, IReadOnlyList<Tensor?>> backward)
        => Record(inputs, [output], saved, gradients => backward(gradients[0]!.contiguous()));

    /// <summary>Makes tensors the results of an operator in the graph.</summary>
    /// <param name="inputs">The operator's differentiable inputs.</param>
    /// <param name="outputs">Its results, computed outside the graph.</param>
    /// <param name="saved">
    /// Made by <see cref="Save"/>; disposed once the backward pass has run or the graph is gone.
    /// </param>
    /// <param name="backward">The backward pass; not called where no output's gradient is defined.</param>
    public static void Record(
        IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> saved,
        BackwardFunction backward)
    {
        var node = new AutogradNode(inputs.Count, saved, backward);
        var edges = stackalloc nint[inputs.Count];
        for (var i = 0; i < inputs.Count; i++)
            edges[i] = inputs[i].Handle;
        var variables = new TensorArray { Pointer = edges, Count = inputs.Count };
        var results = stackalloc nint[outputs.Count];
        for (var i = 0; i < outputs.Count; i++)
            results[i] = outputs[i].Handle;
        var none = default(TensorArray);
        THSAutograd_CSharpNode_setNextEdges(node._pointers, variables, 1);
        CheckForErrors();
        THSAutograd_CSharpNode_clearInputMetadata(node._pointers);
        CheckForErrors();
        THSAutograd_Function_wrapOutputs(
            variables, none, none, new TensorArray { Pointer = results, Count = outputs.Count }, node._pointers,
            &Allocate);
        CheckForErrors();
        for (var i = 0; i < outputs.Count; i++)
            // the same tensor as the output, which has its history now
            Tensor.UnsafeCreateTensor(t_handles[i]).Dispose();

        // The graph holds the node from here on.
        THSAutograd_CSharpNode_disposeSharedPtr(node._pointers);
        node._pointers.Shared = 0;
        CheckForErrors();
    }

    private static nint* Handles(nint count)
    {
        t_handles = (nint*)NativeMemory.Realloc(t_handles, (nuint)(Math.Max(8, count) * sizeof(nint)));
        return t_handles;
    }

    [UnmanagedCallersOnly]
    private static nint* Allocate(nint count) => Handles(count);

    /// <summary>Called by LibTorch. No exception may leave it: the frames below are native.</summary>
    private TensorArray Apply(nint* gradients, int count)
    {
        var given = new Tensor?[count];
        try
        {
            using var scope = NewDisposeScope();
            for (var i = 0; i < count; i++)
                given[i] = gradients[i] == 0 ? null : Tensor.UnsafeCreateTensor(gradients[i]);
            t_previous?.DisposeReturned();      // LibTorch has taken its own references since
            t_previous = this;
            var results = given.All(gradient => gradient is null) ? new Tensor?[_inputs] : Run(given);
            _returned = results.OfType<Tensor>().Select(result => result.DetachFromDisposeScope()).ToList();
            var handles = Handles(_inputs);
            for (var i = 0; i < _inputs; i++)
                handles[i] = results[i]?.Handle ?? 0;
            return new TensorArray { Pointer = handles, Count = _inputs };
        }
        catch (Exception e)
        {
            // LibTorch raises an error when a node returns too few gradients; that error reaches the caller of
            // backward().
            s_failure = ExceptionDispatchInfo.Capture(e);
            return default;
        }
    }

    private IReadOnlyList<Tensor?> Run(IReadOnlyList<Tensor?> gradients)
    {
        var backward = _backward
            ?? throw new InvalidOperationException(
                "A graph of fused operators can be run backward once only; retain_graph is not supported.");
        if (is_grad_enabled())
            throw new InvalidOperationException(
                "Fused operators have no second derivatives; call backward without create_graph.");
        try
        {
            return backward(gradients);
        }
        finally
        {
            ReleaseSaved();
        }
    }

    private void DisposeReturned()
    {
        foreach (var tensor in Interlocked.Exchange(ref _returned, null) ?? [])
            tensor.Dispose();
    }

    private void ReleaseSaved()
    {
        _backward = null;
        foreach (var tensor in _saved)
            tensor.Dispose();
    }

    private void Delete()
    {
        try
        {
            lock (Alive)
                Alive.Remove(this);
            ReleaseSaved();
            DisposeReturned();
            THSAutograd_CSharpNode_disposeWeakPtr(_pointers);
        }
        catch (Exception e)
        {
            s_failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    [LibraryImport("LibTorchSharp")]
    private static partial NodePointers THSAutograd_CSharpNode_ctor(nint apply, nint delete);

    [LibraryImport("LibTorchSharp")]
    private static partial void THSAutograd_CSharpNode_disposeSharedPtr(NodePointers node);

    [LibraryImport("LibTorchSharp")]
    private static partial void THSAutograd_CSharpNode_disposeWeakPtr(NodePointers node);

    [LibraryImport("LibTorchSharp")]
    private static partial void THSAutograd_CSharpNode_setNextEdges(
        NodePointers node, TensorArray variables, byte isExecutable);

    [LibraryImport("LibTorchSharp")]
    private static partial void THSAutograd_CSharpNode_clearInputMetadata(NodePointers node);

    [LibraryImport("LibTorchSharp")]
    private static partial void THSAutograd_Function_wrapOutputs(
        TensorArray variables, TensorArray nonDifferentiable, TensorArray dirty, TensorArray outputs, NodePointers node,
        delegate* unmanaged<nint, nint*> allocator);

    [StructLayout(LayoutKind.Sequential)]
    private struct NodePointers
    {
        public nint Shared;
        public nint Weak;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TensorArray
    {
        public nint* Pointer;
        public long Count;
    }
}
