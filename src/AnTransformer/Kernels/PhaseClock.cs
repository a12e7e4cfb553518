using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AnTransformer.Kernels;

/// <summary>What a training step spends its time on.</summary>
public enum Phase
{
    /// <summary>Products with weight matrices, forward and backward.</summary>
    MatrixProducts,

    /// <summary>Query and key normalization, rotary positions, softmax attention.</summary>
    Attention,

    /// <summary>Everything between matrix products: norms, gates, residual updates, loss, embedding.</summary>
    FusedOperators,

    /// <summary>Gradient norm, moments, update, constraint.</summary>
    Optimizer,

    /// <summary>Reading batches.</summary>
    Data,
}

/// <summary>
/// Adds up wall-clock seconds by <see cref="Phase"/>, for the profile that <c>angpt bench</c> prints. Off unless
/// <see cref="Enabled"/>; only the thread that runs the step is measured, and phases do not nest.
/// </summary>
public static class PhaseClock
{
    private static readonly long[] Ticks = new long[Enum.GetValues<Phase>().Length];

    /// <summary>Whether time is measured.</summary>
    public static bool Enabled { get; set; }

    /// <summary>Forgets what was measured.</summary>
    public static void Reset() => Array.Clear(Ticks);

    /// <summary>Seconds measured in a phase since <see cref="Reset"/>.</summary>
    /// <param name="phase">The phase.</param>
    public static double Seconds(Phase phase) => Ticks[(int)phase] / (double)Stopwatch.Frequency;

    /// <summary>Measures until the result is disposed.</summary>
    /// <param name="phase">What is about to run.</param>
    public static Measurement Measure(Phase phase) => new(phase, Enabled ? Stopwatch.GetTimestamp() : 0);

    /// <summary>A measurement under way.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly struct Measurement : IDisposable
    {
        private readonly Phase _phase;
        private readonly long _start;

        internal Measurement(Phase phase, long start) => (_phase, _start) = (phase, start);

        /// <summary>Ends the measurement.</summary>
        public void Dispose()
        {
            if (_start != 0)
                Ticks[(int)_phase] += Stopwatch.GetTimestamp() - _start;
        }
    }
}
