namespace AnTransformer.Training.Data;

/// <summary>The part of a data set.</summary>
public enum DatasetSplit
{
    /// <summary>The part to learn from: files <c>train-*.bin</c>, <c>*_train_*.bin</c> or <c>*_train.bin</c>.</summary>
    Train,

    /// <summary>
    /// The part held back to measure with: files <c>val-*.bin</c>, <c>*_val_*.bin</c> or <c>*_val.bin</c>.
    /// </summary>
    Validation,
}
