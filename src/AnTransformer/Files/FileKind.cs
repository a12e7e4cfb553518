namespace AnTransformer.Files;

/// <summary>What a name in a directory stands for.</summary>
internal enum FileKind
{
    /// <summary>Bytes on a disk: what can be read to its end without waiting for anyone.</summary>
    Regular,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A named pipe, whose reader waits for a writer.</summary>
    NamedPipe,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A device, which may have no end.</summary>
    Device,
}
