using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Inference.Execution;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference;

/// <summary>
/// A checkpoint ready to generate and score on the CPU. It runs the checkpoint's graph (<see cref="GraphCheckpoint"/>)
/// on kernels and threads of its own; LibTorch is never loaded. Passes of its sessions run one after the other,
/// whichever thread asks.
/// </summary>
public sealed unsafe class InferenceModel : IDisposable
{
    private readonly GraphCheckpoint _checkpoint;
    private readonly ThreadTeam _team;
    private readonly DecoderPass _pass;
    private SequencePart[] _parts = new SequencePart[1];
    private int[] _ones = [];
    private int[] _rows = [];
    private bool _disposed;

    private InferenceModel(GraphCheckpoint checkpoint, InferenceOptions options)
    {
        _checkpoint = checkpoint;
        Options = options;
        _team = new ThreadTeam(options.Threads);
        try
        {
            _pass = DecoderPass.Create(checkpoint, options, _team);
        }
        catch
        {
            _team.Dispose();
            throw;
        }
    }

    /// <summary>The model's sizes.</summary>
    public ModelConfig Config => _checkpoint.Graph.Config;

    /// <summary>What it was loaded with.</summary>
    public InferenceOptions Options { get; }

    /// <summary>Threads that compute.</summary>
    public int Threads => _team.Threads;

    /// <summary>Bytes of weights that a decoded token reads: all matrices but the embedding, with the head.</summary>
    public long WeightBytes => _pass.WeightBytes;

    /// <summary>Bytes of weights that were packed into memory; the others are read in the file's mapping.</summary>
    public long PackedBytes => _pass.PackedBytes;

    /// <summary>Guards passes: sessions of a model take turns.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="directory">The checkpoint.</param>
    /// <param name="options">Dtype and threads; null for the defaults.</param>
    /// <exception cref="InvalidInputException">
    /// The checkpoint is missing or malformed, its numbers exceed what the dtype holds, or an option is out of range.
    /// </exception>
    public static InferenceModel Load(string directory, InferenceOptions? options = null)
    {
        options ??= new InferenceOptions();
        options.Validate();
        var checkpoint = GraphCheckpoint.Open(directory);
        try
        {
            return new InferenceModel(checkpoint, options);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>A new, empty sequence.</summary>
    public InferenceSession CreateSession()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new InferenceSession(this, new KeyValueStore(Config, _pass.Panel));
    }

    /// <summary>Reads one more token of each of several sequences in one pass over the weights.</summary>
    /// <param name="sessions">Sequences of this model, each once.</param>
    /// <param name="tokens">The token of each.</param>
    /// <returns>Logits after it, [sessions, V]; valid until the model's next pass.</returns>
    /// <exception cref="InvalidInputException">A token is outside the vocabulary.</exception>
    /// <exception cref="ArgumentException">
    /// There are no sequences or too many, a sequence is another model's or appears twice, or there are not as many
    /// tokens.
    /// </exception>
    /// <exception cref="InvalidOperationException">The context of a sequence is full.</exception>
    public ReadOnlySpan<float> Decode(ReadOnlySpan<InferenceSession> sessions, ReadOnlySpan<int> tokens)
    {
        if (sessions.Length == 0 || sessions.Length > DecoderPass.MostTokens || sessions.Length != tokens.Length)
        {
            throw new ArgumentException(
                $"Between 1 and {DecoderPass.MostTokens} sequences with a token each are needed; there are "
                    + $"{sessions.Length} with {tokens.Length}.",
                nameof(sessions));
        }

        lock (Gate)
        {
            if (_ones.Length < sessions.Length)
            {
                (_ones, _rows) = (new int[sessions.Length], new int[sessions.Length]);
                for (var i = 0; i < _ones.Length; i++)
                    (_ones[i], _rows[i]) = (1, i);
            }

            return Read(sessions, _ones.AsSpan(0, sessions.Length), tokens, _rows.AsSpan(0, sessions.Length));
        }
    }

    /// <summary>
    /// Reads tokens of several sequences in one pass over the weights: the next one of some, many of others' prompts.
    /// </summary>
    /// <param name="sessions">Sequences of this model, each once.</param>
    /// <param name="counts">Tokens of each, at least 1; at most 512 together.</param>
    /// <param name="tokens">Those of the first sequence, then those of the second, and so on.</param>
    /// <param name="outputs">Places in <paramref name="tokens"/> after which logits are wanted, ascending.</param>
    /// <returns>Logits after each of them, [outputs, V]; valid until the model's next pass.</returns>
    /// <exception cref="InvalidInputException">A token is outside the vocabulary.</exception>
    /// <exception cref="ArgumentException">
    /// There are no sequences, a sequence is another model's or appears twice, counts do not fit the tokens, there are
    /// too many tokens, or outputs do not ascend within them.
    /// </exception>
    /// <exception cref="InvalidOperationException">Tokens do not fit the context of their sequence.</exception>
    public ReadOnlySpan<float> Read(
        ReadOnlySpan<InferenceSession> sessions, ReadOnlySpan<int> counts, ReadOnlySpan<int> tokens,
        ReadOnlySpan<int> outputs)
    {
        if (sessions.Length == 0 || sessions.Length != counts.Length || tokens.Length > DecoderPass.MostTokens)
        {
            throw new ArgumentException(
                $"At least one sequence with a count each and at most {DecoderPass.MostTokens} tokens are needed; "
                    + $"there are {sessions.Length} with {counts.Length} and {tokens.Length}.",
                nameof(sessions));
        }

        RequireCausal();
        CheckTokens(tokens);
        CheckOutputs(outputs, tokens.Length);
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_parts.Length < sessions.Length)
                _parts = new SequencePart[sessions.Length];
            var row = 0;
            for (var i = 0; i < sessions.Length; i++)
            {
                var session = sessions[i];
                if (counts[i] < 1 || counts[i] > tokens.Length - row)
                    throw new ArgumentException("A count is not positive, or exceeds the tokens.", nameof(counts));
                session.RequireRoom(this, counts[i]);
                for (var other = 0; other < i; other++)
                {
                    if (ReferenceEquals(sessions[other], session))
                        throw new ArgumentException("A sequence appears twice.", nameof(sessions));
                }

                _parts[i] = new SequencePart(session.Store, row, counts[i], session.Length);
                row += counts[i];
            }

            if (row != tokens.Length)
                throw new ArgumentException("Counts do not add up to the number of tokens.", nameof(counts));
            var logits = _pass.Run(_parts.AsSpan(0, sessions.Length), tokens, outputs);
            return new ReadOnlySpan<float>(logits, checked(outputs.Length * Config.VocabSize));
        }
    }

    /// <summary>Natural log-probabilities of tokens given those before them.</summary>
    /// <param name="tokens">At least one id and at most a context of them.</param>
    /// <returns>One for each token but the first.</returns>
    /// <exception cref="InvalidInputException">
    /// A token is outside the vocabulary, or they exceed the context.
    /// </exception>
    public double[] Score(ReadOnlySpan<int> tokens)
    {
        CheckTokens(tokens);
        if (tokens.Length > Config.MaxPositionEmbeddings)
        {
            throw new InvalidInputException(
                $"{tokens.Length} tokens exceed the model's context of {Config.MaxPositionEmbeddings}; score a shorter "
                    + "sequence.");
        }

        var scores = new double[Math.Max(0, tokens.Length - 1)];
        if (scores.Length == 0)
            return scores;
        var targets = tokens[1..].ToArray();
        using var session = CreateSession();
        session.Read(tokens[..^1], (position, logits) =>
        {
            long target = targets[position];
            float loss;
            fixed (float* row = logits)
                CpuKernels.Instance.CrossEntropy(row, &target, &loss, 1, logits.Length, 0);
            scores[position] = -loss;
        });
        return scores;
    }

    /// <summary>Ends the threads and frees the weights; sessions cannot be used any more.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            _team.Dispose();
            _pass.Dispose();
            _checkpoint.Dispose();
        }
    }

    /// <summary>Checks ids.</summary>
    internal void CheckTokens(ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)Config.VocabSize)
            {
                throw new InvalidInputException(
                    $"token {token} is outside the model's vocabulary of {Config.VocabSize} ids (0 to "
                        + $"{Config.VocabSize - 1}).");
            }
        }
    }

    private static void CheckOutputs(ReadOnlySpan<int> outputs, int tokens)
    {
        var last = -1;
        foreach (var output in outputs)
        {
            if (output <= last || output >= tokens)
                throw new ArgumentException("Outputs do not ascend within the tokens.", nameof(outputs));
            last = output;
        }
    }

    /// <summary>Refuses what needs a decoder.</summary>
    internal void RequireCausal()
    {
        if (!Config.IsCausal)
        {
            throw new InvalidInputException(
                "the model's attention is not causal (is_causal is false), so it cannot continue text; use a causal "
                    + "model.");
        }
    }

    /// <summary>Runs a part of one sequence; the caller holds <see cref="Gate"/>.</summary>
    /// <returns>[outputs, V].</returns>
    internal float* Run(InferenceSession session, ReadOnlySpan<int> tokens, ReadOnlySpan<int> outputs)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _pass.Run([new SequencePart(session.Store, 0, tokens.Length, session.Length)], tokens, outputs);
    }
}
