using AnTransformer.Architectures;
using AnTransformer.Configuration;

namespace AnTransformer.Optimization;

/// <summary>Shape of the learning rate over a run.</summary>
public enum ScheduleKind
{
    /// <summary>Half a cosine from the peak down to the final rate.</summary>
    Cosine,

    /// <summary>
    /// The remaining share of the steps to a power: 1 is a straight line down, higher ones fall faster at first.
    /// </summary>
    Polynomial,

    /// <summary>Warm-up, stable, decay: the peak, then a straight line down over the last share of the steps.</summary>
    Wsd,

    /// <summary>The peak throughout.</summary>
    Constant,
}

/// <summary>The learning rate as a function of the step.</summary>
/// <param name="Kind">Shape after warm-up.</param>
/// <param name="Peak">Highest rate.</param>
/// <param name="Steps">Steps in the run.</param>
/// <param name="WarmupSteps">Steps of linear rise from 0; 0 for none.</param>
/// <param name="FinalFraction">Rate at the end, as a share of the peak.</param>
/// <param name="DecayFraction">Share of the steps over which <see cref="ScheduleKind.Wsd"/> decays.</param>
/// <param name="Power">Exponent of <see cref="ScheduleKind.Polynomial"/>.</param>
public sealed record LearningRateSchedule(
    ScheduleKind Kind, double Peak, long Steps, long WarmupSteps = 0, double FinalFraction = 0,
    double DecayFraction = 0.2, double Power = 1)
{
    private const long LongestWarmup = 2_000;

    /// <summary>Half a cosine down to 0 with the architecture's own warm-up: what the tool has by default.</summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="peak">Highest rate.</param>
    /// <param name="steps">Steps in the run.</param>
    public static LearningRateSchedule For(ModelConfig config, double peak, long steps)
        => new(ScheduleKind.Cosine, peak, steps, WarmupFor(config, steps));

    /// <summary>
    /// Steps of warm-up by default: the architecture's share of the run, 2000 at most; nGPT and anGPT need none.
    /// </summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="steps">Steps in the run.</param>
    public static long WarmupFor(ModelConfig config, long steps)
        => Math.Min(
            LongestWarmup,
            (long)Math.Round(ArchitectureRegistry.Get(config.Architecture).Training.WarmupFraction * steps));

    /// <summary>The rate of a step.</summary>
    /// <param name="step">0 for the first step.</param>
    public double At(long step)
    {
        if (step < WarmupSteps)
            return Peak * (step + 1) / WarmupSteps;
        var progress = Steps > WarmupSteps ? Math.Clamp((double)(step - WarmupSteps) / (Steps - WarmupSteps), 0, 1) : 1;
        return Peak * (FinalFraction + ((1 - FinalFraction) * Shape(progress, step)));
    }

    private double Shape(double progress, long step)
    {
        var decaySteps = DecayFraction * Steps;
        return Kind switch
        {
            ScheduleKind.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
            ScheduleKind.Wsd when decaySteps > 0 => Math.Clamp((Steps - step) / decaySteps, 0, 1),
            ScheduleKind.Polynomial => Math.Pow(1 - progress, Power),
            _ => 1,
        };
    }
}
