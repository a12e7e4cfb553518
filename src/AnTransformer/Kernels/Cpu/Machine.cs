using System.Globalization;
using System.Runtime.InteropServices;

namespace AnTransformer.Kernels.Cpu;

/// <summary>What the system says of the processor.</summary>
internal static class Machine
{
    /// <summary>The processor's name, or its architecture where the system does not say.</summary>
    public static string ProcessorName { get; } = FindName();

    /// <summary>
    /// Sizes of the caches of a core, as the system names them: <c>L1d 32 KiB</c>; empty where it does not say.
    /// </summary>
    public static IReadOnlyList<string> Caches { get; } = FindCaches();

    private static string FindName()
    {
        var (name, family, model, stepping) = ("", "", "", "");
        foreach (var line in Lines("/proc/cpuinfo"))
        {
            if (line.Split(':', 2, StringSplitOptions.TrimEntries) is not [var key, var value])
                break;      // of the first core
            switch (key)
            {
                case "model name":
                    name = value;
                    break;
                case "cpu family":
                    family = value;
                    break;
                case "model":
                    model = value;
                    break;
                case "stepping":
                    stepping = value;
                    break;
            }
        }

        // Virtual machines may call very different processors the same.
        if (name.Length > 0)
            return $"{name} (family {family}, model {model}, stepping {stepping})";
        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString().ToLower(CultureInfo.InvariantCulture);
    }

    private static List<string> FindCaches()
    {
        var caches = new List<string>();
        for (var index = 0; index < 8; index++)
        {
            var folder = $"/sys/devices/system/cpu/cpu0/cache/index{index}";
            if (Lines($"{folder}/size").FirstOrDefault() is not { } size)
                break;
            var type = Lines($"{folder}/type").FirstOrDefault() switch { "Data" => "d", "Instruction" => "i", _ => "" };
            var level = Lines($"{folder}/level").FirstOrDefault();
            caches.Add($"L{level}{type} {size.Replace("K", " KiB", StringComparison.Ordinal)}");
        }

        return caches;
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
