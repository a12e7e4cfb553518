using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>
/// A module that only names its children, so that parameters get the dotted names checkpoints give them.
/// </summary>
public sealed class ModuleTree : nn.Module
{
    /// <summary>Creates a tree without children.</summary>
    public ModuleTree()
        : base(nameof(ModuleTree))
    {
    }

    /// <summary>A tree whose children are named 0, 1, 2, ...</summary>
    /// <param name="children">The children in order.</param>
    public static ModuleTree Of(IReadOnlyList<nn.Module> children)
    {
        var tree = new ModuleTree();
        for (var i = 0; i < children.Count; i++)
            tree.register_module($"{i}", children[i]);
        return tree;
    }

    /// <summary>Adds a child.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="child">The child.</param>
    /// <returns>This tree.</returns>
    public ModuleTree With(string name, nn.Module child)
    {
        register_module(name, child);
        return this;
    }
}
