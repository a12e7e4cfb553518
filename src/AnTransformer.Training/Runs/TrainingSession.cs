using AnTransformer.Training.Devices;

namespace AnTransformer.Training.Runs;

/// <summary>Steps of a run that were computed in one environment.</summary>
/// <param name="FromStep">Steps taken before them.</param>
/// <param name="Environment">What computed them.</param>
public sealed record TrainingSession(long FromStep, ComputeEnvironment Environment);
