using System.Security.Cryptography;
using System.Text;

namespace AnTransformer.Checkpoints;

/// <summary>
/// A temporary name beside a file or directory that is being written: <c>.NAME.tmp-ID</c> for what is new,
/// <c>.NAME.old-ID</c> for what it replaces and <c>.NAME.lock-ID</c>, which the writer holds locked. The second half of
/// the ID is a digest of NAME and of the first, random half, so that what bears such a name was made here, and a user's
/// file of a similar name is never taken for it.
/// </summary>
/// <param name="Name">NAME: the file or directory that is being written.</param>
/// <param name="Kind">What lies under the name.</param>
/// <param name="Id">32 hexadecimal digits.</param>
internal readonly record struct StagingName(string Name, string Kind, string Id)
{
    /// <summary>Kind of what is new.</summary>
    public const string New = "tmp";

    /// <summary>Kind of what is replaced.</summary>
    public const string Old = "old";

    /// <summary>Kind of the lock.</summary>
    public const string Lock = "lock";

    private const int HalfLength = 16;

    /// <summary>A fresh ID for a name.</summary>
    public static string NewId(string name)
    {
        var random = RandomNumberGenerator.GetHexString(HalfLength, lowercase: true);
        return random + Digest(name, random);
    }

    /// <summary>Takes a file's name apart; null when it was not made here.</summary>
    public static StagingName? Parse(string fileName)
    {
        var dot = fileName.LastIndexOf('.');
        if (dot < 2 || fileName[0] != '.')
            return null;
        var name = fileName[1..dot];
        return fileName[(dot + 1)..].Split('-') is [New or Old or Lock, { Length: 2 * HalfLength } id] parts
            && id[HalfLength..] == Digest(name, id[..HalfLength])
            ? new StagingName(name, parts[0], id)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $".{Name}.{Kind}-{Id}";

    private static string Digest(string name, string random)
        => Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"AnTransformer staging\n{name}\n{random}")))[..HalfLength];
}
