namespace AnTransformer.Files;

/// <summary>
/// Says whether two paths lead to the same file: its device and number there, or its full path where a system has
/// neither.
/// </summary>
/// <param name="Device">The device.</param>
/// <param name="Number">The file's number on the device (inode).</param>
/// <param name="FullPath">The full path, links followed, where device and number are not known; otherwise null.</param>
internal sealed record FileIdentity(ulong Device, ulong Number, string? FullPath = null);
