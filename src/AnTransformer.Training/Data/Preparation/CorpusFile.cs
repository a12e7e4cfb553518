namespace AnTransformer.Training.Data.Preparation;

/// <summary>An input file.</summary>
/// <param name="Path">As it was named or found.</param>
/// <param name="Bytes">Its size in bytes, compressed where the file is.</param>
public sealed record CorpusFile(string Path, long Bytes);
