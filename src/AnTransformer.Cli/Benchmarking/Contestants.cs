using AnTransformer.Operators;
using AnTransformer.Reference;
using AnTransformer.Training.Benchmarking;

namespace AnTransformer.Cli.Benchmarking;

/// <summary>
/// All contestants of a benchmark: each architecture as ours and, unless not wanted, as its eager twin.
/// </summary>
internal sealed class Contestants : IDisposable
{
    private const string EagerSuffix = "-eager";
    private readonly List<(string Architecture, ModelStep Ours, EagerStep? Eager)> _pairs = [];

    /// <summary>Builds them; an eager twin starts with the weights of ours.</summary>
    public Contestants(BenchSettings settings, ModelContext context)
    {
        foreach (var architecture in settings.Architectures)
        {
            var ours = new ModelStep(settings.Plan(architecture), context, settings.Seed);
            var eager = settings.HasEager(architecture) ? CreateEager(settings, architecture, context) : null;
            eager?.Model.CopyFrom(ours.Model);
            _pairs.Add((architecture, ours, eager));
        }

        OnCpu = settings.OnCpu;
    }

    private bool OnCpu { get; }

    public static string NameOf(string architecture, bool eager) => architecture + (eager ? EagerSuffix : "");

    /// <summary>Builds one contestant alone, by its name, with whatever weights its kind starts with.</summary>
    /// <exception cref="InvalidInputException">No contestant has that name.</exception>
    public static ITrainingStep Create(string name, BenchSettings settings, ModelContext context)
    {
        var eager = name.EndsWith(EagerSuffix, StringComparison.Ordinal);
        var architecture = BenchSettings.ParseArchitectures([eager ? name[..^EagerSuffix.Length] : name])[0];
        return eager
            ? CreateEager(settings, architecture, context)
            : new ModelStep(settings.Plan(architecture), context, settings.Seed);
    }

    /// <summary>In the order of the tables.</summary>
    public IReadOnlyList<Contestant> All()
    {
        var all = new List<Contestant>();
        foreach (var (architecture, ours, eager) in _pairs)
        {
            // On a GPU work is queued: the phases would measure how long it takes to ask for it.
            all.Add(new Contestant(NameOf(architecture, eager: false), ours.Model.Config, IsProfiled: OnCpu, ours));
            if (eager is not null)
                all.Add(new Contestant(NameOf(architecture, eager: true), ours.Model.Config, IsProfiled: false, eager));
        }

        return all;
    }

    /// <summary>Ours and the eager twin of each architecture that has both.</summary>
    public IEnumerable<(string Architecture, ITrainingStep Ours, ITrainingStep Eager)> Pairs()
    {
        foreach (var (architecture, ours, eager) in _pairs)
        {
            if (eager is not null)
                yield return (architecture, ours, eager);
        }
    }

    public void Dispose()
    {
        foreach (var (_, ours, eager) in _pairs)
        {
            ours.Dispose();
            eager?.Dispose();
        }
    }

    private static EagerStep CreateEager(BenchSettings settings, string architecture, ModelContext context)
        => new(
            EagerModel.Create(
                settings.Plan(architecture).Model, context.Device, context.MasterDtype, context.ComputeDtype));
}
