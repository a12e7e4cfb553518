namespace AnTransformer.Export.Standard;

/// <summary>What users of a Llama or Qwen3 export have to know, and what was measured for it.</summary>
internal static class StandardNotes
{
    /// <summary>
    /// What is to be said of norms that are the identity; nothing of a model that has norms of its own.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="dtype">The type that matrices are written in.</param>
    public static IEnumerable<string> Of(StandardModel model, ExportDtype dtype)
    {
        if (model.Identity is not { } identity)
            yield break;
        yield return FormattableString.Invariant(
            $"The model has no layer norms: its file's norms leave the stream alone (ε = {identity.Epsilon}, gains ")
            + FormattableString.Invariant($"{identity.Gain}), up to a relative {identity.StreamError:g2}")
            + (model.IsQwen3
                ? FormattableString.Invariant(
                    $"; queries and keys are normalized up to {identity.QueryKeyError:g2}, their matrices times ")
                    + FormattableString.Invariant($"{identity.QueryKeyScale}")
                : "")
            + FormattableString.Invariant($" (at most, over {model.Tokens} tokens spread over the vocabulary).");
        if (dtype is ExportDtype.F32 or ExportDtype.BF16)
        {
            var dtypes = dtype is ExportDtype.F32 ? "f32" : "bf16 or f32";
            yield return $"Load it in {dtypes}: the numbers of {dtype.Name()} exceed half precision. "
                + "A loader that chooses fp16 by itself must be told otherwise.";
        }
    }
}
