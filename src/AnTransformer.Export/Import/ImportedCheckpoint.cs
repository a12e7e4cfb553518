using AnTransformer.Configuration;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Export.Import;

/// <summary>What an import made.</summary>
/// <param name="Directory">The checkpoint.</param>
/// <param name="Config">The model: <c>gpt</c> of Llama, <c>gpt+</c> of Qwen3.</param>
/// <param name="Tokenizer">The tokenizer beside the weights, or null.</param>
/// <param name="Warning">Why there is no tokenizer, a sentence; null where there is one.</param>
public sealed record ImportedCheckpoint(string Directory, ModelConfig Config, Tokenizer? Tokenizer, string? Warning);
