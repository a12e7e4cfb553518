using AnTransformer.Files;

namespace AnTransformer.Server.Security;

/// <summary>Where the key comes from: never the command line, which every user of the machine can read.</summary>
internal static class KeySource
{
    /// <summary>The variable that has the key where no file is named.</summary>
    public const string Variable = "ANGPT_API_KEY";

    /// <summary>The key, or null where none is asked for.</summary>
    /// <param name="file">Whose first line it is, or null.</param>
    /// <exception cref="InvalidInputException">The file cannot be read, or the key is empty.</exception>
    public static string? Read(string? file)
    {
        var key = file is null ? Environment.GetEnvironmentVariable(Variable) : FirstLine(file);
        if (file is null && string.IsNullOrEmpty(key))
            return null;
        return string.IsNullOrWhiteSpace(key)
            ? throw new InvalidInputException(
                $"{file ?? Variable}: the key is empty; give one, for example of `openssl rand -hex 32`.")
            : key.Trim();
    }

    private static string? FirstLine(string file)
    {
        RegularFile.Require(file);
        try
        {
            return File.ReadLines(file).FirstOrDefault();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{file}: cannot be read ({e.Message.TrimEnd('.')}); check its name and permissions.", e);
        }
    }
}
