using System.Runtime.InteropServices;
using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Distributed;
using AnTransformer.Kernels;
using AnTransformer.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// An optimizer's state and work, shared by ranks (ZeRO stage 1, Rajbhandari et al. 2020, arXiv 1910.02054): each
/// updates its rows, from sums of gradients that only it has, and gives the new values to all.
/// </summary>
internal sealed unsafe class OptimizerShards : IDisposable
{
    private readonly ProcessGroup _group;
    private readonly ParameterStore _store;
    private readonly List<Entry> _entries;
    private readonly ShardPlan _plan;
    private readonly List<ParameterState> _columns = [];        // whole, for constraints after the exchange
    private readonly List<Parameter> _views = [];

    /// <summary>Shares parameters.</summary>
    /// <param name="model">The model; not owned.</param>
    /// <param name="parameters">Its parameters, and what updates each.</param>
    /// <param name="group">The ranks; not owned.</param>
    public OptimizerShards(
        LanguageModel model, IReadOnlyList<(TrainedParameter Item, UpdateRule Rule)> parameters, ProcessGroup group)
    {
        (_group, _store) = (group, model.Store);
        var offsets = _store.Parameters.ToDictionary(item => item.Parameter.Handle, item => item.Offset);
        _entries = [.. parameters.Select(pair => new Entry(
            pair.Item, pair.Rule, ShapeOf(pair.Item.Parameter, pair.Rule, offsets[pair.Item.Parameter.Handle])))];
        _plan = ShardPlan.Create(
            _entries.ConvertAll(entry => entry.Shape), [.. AnnouncedSegments.Of(model).OfType<BufferSegment>()],
            group.Size);
        foreach (var (item, rule, _) in _entries)
        {
            if (item is { VectorDimension: 0, Constraint: not RowConstraint.None } && !rule.NeedsWholeMatrix)
            {
                _columns.Add(new ParameterState(
                    item.Name, item.Parameter, rule, [], item.Constraint, item.VectorDimension));
            }
        }
    }

    /// <summary>The part of a parameter that this rank updates, as one of its own; null for none.</summary>
    /// <param name="index">Which parameter.</param>
    public TrainedParameter? Local(int index)
    {
        var (item, rule, shape) = _entries[index];
        var (first, rows) = _plan.RowsOf(index, _group.Rank);
        if (rows == 0)
            return null;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long[] size = item.Parameter.dim() == 1 ? item.Parameter.shape : [rows, .. item.Parameter.shape[1..]];
        var (at, count) = (shape.Offset + (first * shape.Width), rows * shape.Width);
        var view = new Parameter(_store.Values().narrow(0, at, count).view(size), item.Parameter.requires_grad)
        {
            grad = _store.Gradients().narrow(0, at, count).view(size),
        };
        view.DetachFromDisposeScope();
        _views.Add(view);
        // A constraint of columns waits for the other rows.
        var isCut = item.VectorDimension == 0 && !rule.NeedsWholeMatrix;
        return item with { Parameter = view, Constraint = isCut ? RowConstraint.None : item.Constraint };
    }

    /// <summary>Each rank's segments of a part of the gradients that is sent as one.</summary>
    /// <param name="first">Its first number.</param>
    /// <param name="end">The number behind its last one.</param>
    public IReadOnlyList<IReadOnlyList<BufferSegment>> PartsWithin(long first, long end)
        => _plan.PartsWithin(first, end);

    /// <summary>All ranks' numbers for blocks of rows, in the order of a rank alone.</summary>
    /// <param name="mine">This rank's, in the order of its rows.</param>
    public double[] Merge(double[] mine)
    {
        var all = _group.Gather(MemoryMarshal.AsBytes(mine.AsSpan()).ToArray())
            .Select(bytes => MemoryMarshal.Cast<byte, double>(bytes).ToArray()).ToList();
        var taken = new int[_group.Size];
        var merged = new List<double>();
        for (var index = 0; index < _entries.Count; index++)
        {
            if (!_entries[index].Item.Parameter.requires_grad)
                continue;
            for (var rank = 0; rank < _group.Size; rank++)
            {
                var (_, rows) = _plan.RowsOf(index, rank);
                var blocks = (int)RowBlocks.Count(rows, _entries[index].Shape.Width);
                merged.AddRange(all[rank].AsSpan(taken[rank], blocks));
                taken[rank] += blocks;
            }
        }

        return [.. merged];
    }

    /// <summary>After every rank has updated its rows: gives them to all, and empties the gradients.</summary>
    public void Exchange()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        _group.AllGather(TensorMemory.Floats(_store.Values()), _plan.Parts);
        RowBlocks.ConstrainColumns(_columns);
        ZeroGradients();
    }

    /// <summary>Empties the gradients, also those which belong to others.</summary>
    public void ZeroGradients()
    {
        using var gradients = _store.Gradients();
        gradients.zero_();
    }

    /// <summary>Names and whole tensors of the state, for rank 0; they belong to the caller's dispose scope.</summary>
    public List<KeyValuePair<string, Tensor>> Whole()
        => [.. AllState().Select(state => new KeyValuePair<string, Tensor>(state.Name, state.Create()))];

    /// <summary>The state of all ranks; on rank 0, and nothing on the others.</summary>
    /// <param name="local">This rank's state.</param>
    public List<KeyValuePair<string, Tensor>> Gather(IEnumerable<KeyValuePair<string, Tensor>> local)
    {
        var own = local.ToDictionary();
        var gathered = new List<KeyValuePair<string, Tensor>>();
        foreach (var state in AllState())
        {
            var whole = state.Create();
            var values = TensorMemory.Floats(whole);
            foreach (var segment in state.Parts[_group.Rank])
                Copy(TensorMemory.Floats(own[state.Name]), values + segment.First, segment.Count);
            _group.AllGather(values, state.Parts);
            if (_group.Rank == 0)
                gathered.Add(new KeyValuePair<string, Tensor>(state.Name, whole));
            else
                whole.Dispose();
        }

        return gathered;
    }

    /// <summary>Gives every rank its part of a state that rank 0 has.</summary>
    /// <param name="whole">See <see cref="Whole"/>; read on rank 0 only.</param>
    /// <param name="local">This rank's state.</param>
    public void Scatter(
        IEnumerable<KeyValuePair<string, Tensor>> whole, IEnumerable<KeyValuePair<string, Tensor>> local)
    {
        var (given, own) = (whole.ToDictionary(), local.ToDictionary());
        foreach (var state in AllState())
        {
            using var scope = NewDisposeScope();
            var values = given.GetValueOrDefault(state.Name) ?? state.Create();
            var address = TensorMemory.Floats(values);
            _group.Broadcast((byte*)address, values.numel() * sizeof(float));
            foreach (var segment in state.Parts[_group.Rank])
                Copy(address + segment.First, TensorMemory.Floats(own[state.Name]), segment.Count);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _views.ForEach(view => view.Dispose());

    private static void Copy(float* source, float* target, long count)
        => Buffer.MemoryCopy(source, target, count * sizeof(float), count * sizeof(float));

    private static ShardedShape ShapeOf(Parameter parameter, UpdateRule rule, long offset)
    {
        var rows = parameter.dim() == 1 ? 1 : parameter.shape[0];
        var width = parameter.numel() / rows;
        return new ShardedShape(
            offset, rows, width, rows == 1 || rule.NeedsWholeMatrix ? rows : RowBlocks.RowsPerBlock(width));
    }

    private IEnumerable<WholeState> AllState()
    {
        for (var index = 0; index < _entries.Count; index++)
        {
            var (item, rule, shape) = _entries[index];
            foreach (var (name, initial) in rule.State)
            {
                // What is not shaped as the parameter belongs to the rank that has all of it.
                var parts = initial is null
                    ? _plan.PartsOf(index, shape)
                    : [.. _plan.PartsOf(index, shape).Select(part => part.Count == 0
                        ? (IReadOnlyList<BufferSegment>)[]
                        : [new BufferSegment(0, item.Parameter.shape[^1])])];
                yield return new WholeState(
                    $"{name}.{item.Name}", () => initial?.Invoke(item.Parameter) ?? zeros_like(item.Parameter), parts);
            }
        }
    }

    private sealed record Entry(TrainedParameter Item, UpdateRule Rule, ShardedShape Shape);

    private sealed record WholeState(
        string Name, Func<Tensor> Create, IReadOnlyList<IReadOnlyList<BufferSegment>> Parts);
}
