namespace AnTransformer.Training.Metrics;

/// <summary>
/// One line of <c>metrics.jsonl</c>; a figure that was not measured is null and left out of the file.
/// </summary>
public sealed record MetricsRecord : IStepRecord
{
    static string IStepRecord.Kind => "a metrics record";

    /// <summary>Optimizer steps taken.</summary>
    public required long Step { get; init; }

    /// <summary>Tokens trained on.</summary>
    public required long Tokens { get; init; }

    /// <summary>Training loss in nats per token.</summary>
    public double? Loss { get; init; }

    /// <summary>Validation loss in nats per token.</summary>
    public double? ValLoss { get; init; }

    /// <summary>Validation loss in bits per byte of text.</summary>
    public double? BitsPerByte { get; init; }

    /// <summary>Share of the masked tokens of the validation data that a masked language model finds.</summary>
    public double? MaskedAccuracy { get; init; }

    /// <summary>Figures of tasks by name, such as <c>blimp/acc</c>.</summary>
    public IReadOnlyDictionary<string, double>? Tasks { get; init; }

    /// <summary>Learning rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Gradient norm before clipping.</summary>
    public double? GradNorm { get; init; }

    /// <summary>Training speed.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Model FLOP/s as a fraction of the machine's matrix-product rate.</summary>
    public double? MatmulFraction { get; init; }

    /// <summary>Seconds of training so far.</summary>
    public double? ElapsedSeconds { get; init; }

    /// <summary>The figures that are there, by their names in files.</summary>
    internal IEnumerable<(string Name, double Value)> Figures()
    {
        (string, double?)[] all =
        [
            ("loss", Loss), ("val_loss", ValLoss), ("bits_per_byte", BitsPerByte),
            ("masked_accuracy", MaskedAccuracy), ("learning_rate", LearningRate),
            ("grad_norm", GradNorm), ("tokens_per_second", TokensPerSecond), ("matmul_fraction", MatmulFraction),
            ("elapsed_seconds", ElapsedSeconds),
        ];
        return all.Where(item => item.Item2 is not null).Select(item => (item.Item1, item.Item2!.Value))
            .Concat(Tasks?.Select(task => ("tasks/" + task.Key, task.Value)) ?? []);
    }
}
