namespace AnTransformer.Training.Data.Preparation;

/// <summary>Writes the shards <c>name-000000.bin</c>, <c>name-000001.bin</c>, … of one split.</summary>
internal sealed class SplitWriter(
    string directory, string name, int vocabularySize, int maxTokensPerShard) : IDisposable
{
    private TokenShardWriter? _shard;
    private int _shardCount;

    public long Tokens { get; private set; }

    public long Documents { get; private set; }

    public long TextBytes { get; private set; }

    /// <summary>Appends a document, which goes on in the next shard when this one is full.</summary>
    public void Write(ReadOnlySpan<int> tokens, int textBytes)
    {
        Documents++;
        TextBytes += textBytes;
        Tokens += tokens.Length;
        while (!tokens.IsEmpty)
        {
            if (_shard is null || _shard.Length == maxTokensPerShard)
            {
                Complete();
                _shard = new TokenShardWriter(
                    Path.Combine(directory, $"{name}-{_shardCount++:D6}.bin"), vocabularySize);
            }
            var part = tokens[..Math.Min(tokens.Length, maxTokensPerShard - _shard.Length)];
            _shard.Write(part);
            tokens = tokens[part.Length..];
        }
    }

    public void Complete()
    {
        _shard?.Complete();
        _shard?.Dispose();
        _shard = null;
    }

    public void Dispose() => _shard?.Dispose();
}
