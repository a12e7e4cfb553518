using System.Text.Json.Nodes;
using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Scaling.Reporting;

/// <summary>A fit as JSON, in snake_case; numbers that are not finite are null.</summary>
public static class ScalingJson
{
    /// <summary>The fit, its settings and its intervals.</summary>
    /// <param name="fit">The fit.</param>
    public static JsonObject Of(ScalingFit fit)
    {
        ArgumentNullException.ThrowIfNull(fit);
        return new JsonObject
        {
            ["file"] = fit.Table.Name,
            ["rows"] = fit.Table.Points.Count,
            ["settings"] = new JsonObject
            {
                ["law"] = fit.Options.Law.ToString().ToLowerInvariant(),
                ["delta"] = fit.Options.Delta,
                ["zero_floor"] = fit.Options.ZeroFloor,
                ["resamples"] = fit.Options.Resamples,
                ["seed"] = fit.Options.Seed,
                ["drop_highest_loss"] = fit.Options.DropHighestLoss,
            },
            ["notes"] = Texts(fit.Table.Notes),
            ["groups"] = new JsonArray([.. fit.Groups.Select(Group)]),
            ["comparisons"] = new JsonArray([.. fit.Comparisons.Select(Comparison)]),
        };
    }

    private static JsonObject Group(GroupFit group) => new()
    {
        ["group"] = group.Group.Length == 0 ? null : group.Group,
        ["rows"] = group.Points.Count,
        ["parametric"] = group.Parametric is { } parametric ? Parametric(parametric) : null,
        ["compute"] = group.Compute is { } compute ? Compute(compute) : null,
        ["learning_rate"] = group.LearningRate is { } rate ? Law(rate, Quantities.Hyperparameter) : null,
        ["batch_size"] = group.BatchSize is { } batch ? Law(batch, Quantities.Hyperparameter) : null,
        ["notes"] = Texts(group.Notes),
        ["warnings"] = Texts(group.Warnings),
    };

    private static JsonObject Parametric(ParametricResult result)
    {
        var law = Law(result.Fit, Quantities.Parametric);
        law["flops_per_parameter_token"] = Number(result.FlopsPerParameterToken);
        law["allocations"] = new JsonArray([.. result.Allocations.Select(row => new JsonObject
        {
            ["compute"] = Number(row.Optimum.Compute),
            ["parameters"] = Number(row.Optimum.Parameters),
            ["parameters_interval"] = Bounds(row.Parameters),
            ["tokens"] = Number(row.Optimum.Tokens),
            ["tokens_interval"] = Bounds(row.Tokens),
            ["tokens_per_parameter"] = Number(row.Optimum.TokensPerParameter),
            ["loss"] = Number(row.Optimum.Loss),
            ["loss_interval"] = Bounds(row.Loss),
            ["extrapolated"] = row.IsExtrapolated,
        })]);
        return law;
    }

    private static JsonObject Compute(ComputeResult result)
    {
        var law = Law(result.Fit, Quantities.Compute);
        law["frontier"] = new JsonArray([.. result.Frontier.Select(point => new JsonObject
        {
            ["compute"] = Number(point.Compute),
            ["loss"] = Number(point.Loss),
            ["parameters"] = Number(point.Parameters),
            ["tokens"] = Number(point.Tokens),
        })]);
        return law;
    }

    private static JsonObject Law<TLaw>(Fitted<TLaw> fit, IReadOnlyList<Quantity<TLaw>> quantities)
        where TLaw : class
    {
        var law = new JsonObject();
        foreach (var quantity in quantities)
            law[quantity.Key] = Number(quantity.Of(fit.Law));
        law["intervals"] = new JsonObject(
            [.. quantities.Select(
                quantity => KeyValuePair.Create<string, JsonNode?>(
                    quantity.Key, Bounds(fit.IntervalOf(quantity.Of))))]);
        law["resamples"] = fit.Resamples.Count;
        law["failed_resamples"] = fit.FailedResamples;
        law["rows"] = fit.Quality.Rows;
        law["huber_sum"] = Number(fit.Quality.HuberSum);
        law["root_mean_square_log_residual"] = Number(fit.Quality.RootMeanSquare);
        law["mean_absolute_log_residual"] = Number(fit.Quality.MeanAbsolute);
        law["descents"] = fit.Quality.Descents;
        law["agreeing_descents"] = fit.Quality.Agreeing;
        return law;
    }

    private static JsonObject Comparison(ExponentComparison row) => new()
    {
        ["exponent"] = row.Quantity,
        ["first"] = row.First,
        ["second"] = row.Second,
        ["first_value"] = Number(row.FirstValue),
        ["second_value"] = Number(row.SecondValue),
        ["difference"] = Number(row.Difference),
        ["interval"] = Bounds(row.Interval),
    };

    private static JsonArray? Bounds(Interval? interval)
        => interval is null ? null : [Number(interval.Low), Number(interval.High)];

    private static JsonNode? Number(double value) => double.IsFinite(value) ? value : null;

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);
}
