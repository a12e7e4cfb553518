namespace AnTransformer.Training.Benchmarking;

/// <summary>How sums over all ranks are made.</summary>
public enum Reduction
{
    /// <summary>Every rank sends each other one its part, and then its sum: what this program does.</summary>
    Direct,

    /// <summary>Parts go round a ring twice, as NCCL and MPI do with large buffers.</summary>
    Ring,

    /// <summary>The whole buffer climbs a binary tree and comes down again, as libraries do with small ones.</summary>
    Tree,
}
