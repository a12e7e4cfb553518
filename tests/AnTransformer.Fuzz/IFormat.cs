namespace AnTransformer.Fuzz;

/// <summary>A kind of file that the tool reads.</summary>
internal interface IFormat
{
    /// <summary>The name on the command line.</summary>
    string Name { get; }

    /// <summary>Makes a damaged file: a valid one, changed in places that matter to its format, in bytes, or both.</summary>
    /// <param name="random">The only source of chance.</param>
    Sample Make(Random random);

    /// <summary>Reads the file to its end, as the tool does.</summary>
    /// <param name="path">The file, in a directory of its own.</param>
    void Read(string path);
}

/// <summary>A file to read.</summary>
/// <param name="FileName">Name, from which some readers conclude.</param>
/// <param name="Bytes">Content.</param>
internal sealed record Sample(string FileName, byte[] Bytes);
