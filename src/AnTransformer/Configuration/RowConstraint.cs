namespace AnTransformer.Configuration;

/// <summary>How the vectors of a weight matrix are kept in a compact space (arXiv 2505.22014, section 3).</summary>
public enum RowConstraint
{
    /// <summary>Free, as in GPT and GPT+.</summary>
    None,

    /// <summary>Inside the unit ball, ‖w‖₂ ≤ 1: w ← w / max(1, ‖w‖), as in anGPT.</summary>
    Bounded,

    /// <summary>On the unit sphere, ‖w‖₂ = 1: w ← w / ‖w‖, as in nGPT.</summary>
    Exact,
}
