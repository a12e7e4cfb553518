using System.Globalization;

namespace AnTransformer.Studies.Sharing;

/// <summary>
/// The right to carry out a run: a file that only one can create, <c>claim.000000</c>. Who takes over from one that is
/// dead creates the next number, which only one can, and who finds a higher number than the own has lost the run.
/// </summary>
public sealed class RunClaim
{
    private const string Prefix = "claim.";
    private readonly string _folder;
    private readonly int _number;

    private RunClaim(string folder, int number) => (_folder, _number) = (folder, number);

    /// <summary>The claim's file, by which another process can look after it (<see cref="Open"/>).</summary>
    public string Path => PathOf(_folder, _number);

    /// <summary>Whether another has taken the run over.</summary>
    public bool IsLost => File.Exists(PathOf(_folder, _number + 1));

    /// <summary>A claim that another process has made, to look after it.</summary>
    /// <param name="path">Its file.</param>
    /// <exception cref="ArgumentException">That is no claim's name.</exception>
    public static RunClaim Open(string path)
        => Number(path) is { } number
            ? new RunClaim(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, number)
            : throw new ArgumentException("Not a claim.", nameof(path));

    /// <summary>Claims a run.</summary>
    /// <param name="folder">The run's directory, which is made when it is missing.</param>
    /// <param name="worker">Who claims.</param>
    /// <param name="isAlive">Whether a worker is to be taken for alive.</param>
    /// <returns>Null when it belongs to one who lives.</returns>
    /// <exception cref="IOException">The file system refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    internal static RunClaim? TryTake(string folder, string worker, Func<string, bool> isAlive)
    {
        Directory.CreateDirectory(folder);
        var last = Directory.EnumerateFiles(folder, Prefix + "*").Select(Number).OfType<int>().DefaultIfEmpty(-1).Max();
        if (last >= 0 && isAlive(Owner(folder, last)))
            return null;
        try
        {
            using var stream = new FileStream(PathOf(folder, last + 1), FileMode.CreateNew, FileAccess.Write);
            stream.Write(System.Text.Encoding.UTF8.GetBytes(worker));
        }
        catch (IOException) when (File.Exists(PathOf(folder, last + 1)))
        {
            return null;        // another was faster
        }

        return new RunClaim(folder, last + 1);
    }

    /// <summary>Gives the run back, for anybody to take.</summary>
    internal void Release()
    {
        try
        {
            File.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Taken over when this process has ended.
        }
    }

    private static string PathOf(string folder, int number) => System.IO.Path.Combine(folder, $"{Prefix}{number:d6}");

    private static int? Number(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        return name.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(
            name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }

    /// <summary>Whose claim it is; while its name is not written yet, one of whom nothing is known.</summary>
    private static string Owner(string folder, int number)
    {
        try
        {
            var owner = File.ReadAllText(PathOf(folder, number));
            return owner.Length > 0 && owner.All(
                letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
                ? owner
                : $"unknown-{number}";
        }
        catch (IOException)
        {
            return $"unknown-{number}";
        }
    }
}
