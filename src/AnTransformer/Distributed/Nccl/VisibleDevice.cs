using System.Globalization;
using System.Runtime.InteropServices;

namespace AnTransformer.Distributed.Nccl;

/// <summary>
/// Gives each process of a host a GPU of its own, by hiding all others from it: to CUDA, which is loaded later, it is
/// the only one.
/// </summary>
internal static partial class VisibleDevice
{
    private const string Variable = "CUDA_VISIBLE_DEVICES";
    private static readonly string[] LocalRanks =
        ["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "PMI_LOCAL_RANK", "SLURM_LOCALID"];

    /// <summary>Hides them.</summary>
    public static void Choose()
    {
        if (Of(Environment.GetEnvironmentVariable) is { } device && !OperatingSystem.IsWindows())
            _ = SetVariable(Variable, device, 1);
    }

    /// <summary>What this process is to see; null to leave it as it is.</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    public static string? Of(Func<string, string?> variable)
    {
        var rank = LocalRanks.Select(variable).FirstOrDefault(text => int.TryParse(
            text, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (rank is null)
            return null;
        var visible = variable(Variable)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
        var index = int.Parse(rank, CultureInfo.InvariantCulture);
        // A scheduler may have given each process its own already.
        return visible.Length switch
        {
            0 => rank,
            1 => null,
            _ => index < visible.Length ? visible[index] : throw new InvalidInputException(
                $"process {index} of this host has no GPU: {Variable} names {visible.Length}; start fewer processes."),
        };
    }

    // .NET keeps an environment of its own; CUDA reads the process's.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
