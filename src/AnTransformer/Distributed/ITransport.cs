namespace AnTransformer.Distributed;

/// <summary>What moves bytes between the ranks. All calls come from one thread, the one that made it.</summary>
internal unsafe interface ITransport : IDisposable
{
    int Rank { get; }

    int Size { get; }

    /// <summary>Block r of what is sent goes to rank r; block r of what is received came from it.</summary>
    /// <param name="send">[Size, bytes].</param>
    /// <param name="receive">[Size, bytes], other memory.</param>
    /// <param name="bytes">Length of a block.</param>
    void AllToAll(byte* send, byte* receive, int bytes);

    /// <summary>Everybody's block, by rank.</summary>
    /// <param name="send">[bytes].</param>
    /// <param name="receive">[Size, bytes], other memory.</param>
    /// <param name="bytes">Length of a block.</param>
    void AllGather(byte* send, byte* receive, int bytes);

    /// <summary>Rank 0's bytes to everybody.</summary>
    void Broadcast(byte* data, int bytes);

    /// <summary>
    /// Asks for the end of all ranks, from any thread; <see cref="AbortIfAsked"/>, which waits in this transport call,
    /// too, brings it about.
    /// </summary>
    void Abort(int exitCode);

    /// <summary>Ends all ranks where that was asked for.</summary>
    void AbortIfAsked();
}
