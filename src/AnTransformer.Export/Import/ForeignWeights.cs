using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Files;

namespace AnTransformer.Export.Import;

/// <summary>
/// The weights of a model as Hugging Face has them: <c>model.safetensors</c>, or the files that
/// <c>model.safetensors.index.json</c> lists. All files are mapped and their headers checked; tensors are read when
/// they are asked for.
/// </summary>
internal sealed class ForeignWeights : IDisposable
{
    /// <summary>File name of the list.</summary>
    public const string IndexFile = ModelCheckpoint.WeightsFile + ".index.json";

    private const int MostFiles = 4096;
    private readonly Dictionary<string, SafetensorsFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsFile> _tensors = new(StringComparer.Ordinal);

    private ForeignWeights(string directory) => Directory = directory;

    /// <summary>The directory.</summary>
    public string Directory { get; }

    /// <summary>What errors name when a tensor is not there: the file, or the list of files.</summary>
    public string Place { get; private set; } = "";

    /// <summary>The names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Opens the weights of a directory; a single file is preferred, as transformers does.</summary>
    /// <param name="directory">The directory.</param>
    /// <exception cref="InvalidInputException">
    /// There are none, or a file is malformed or not the one that the list needs.
    /// </exception>
    public static ForeignWeights Open(string directory)
    {
        var weights = new ForeignWeights(directory);
        try
        {
            if (ForeignDirectory.Find(directory, ModelCheckpoint.WeightsFile) is { } single)
                weights.OpenSingle(single);
            else if (ForeignDirectory.Find(directory, IndexFile) is { } index)
                weights.OpenListed(index);
            else
                throw new InvalidInputException(
                    ForeignCheckpoint.DescribeDirectory(directory)
                    ?? $"{directory}: has neither {ModelCheckpoint.WeightsFile} nor {IndexFile}; fetch the weights, "
                        + "too.");
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The file that holds a tensor, or null where none does.</summary>
    /// <param name="name">A name.</param>
    public SafetensorsFile? FileOf(string name) => _tensors.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values)
            file.Dispose();
    }

    private void OpenSingle(string path)
    {
        Place = path;
        var file = SafetensorsFile.Open(path);
        _files.Add(path, file);
        foreach (var name in file.Names)
            _tensors.Add(name, file);
    }

    private void OpenListed(string index)
    {
        Place = index;
        var map = ReadIndex(index);
        var names = map.Values.Distinct(StringComparer.Ordinal).ToList();
        if (names.Count > MostFiles)
            throw new InvalidInputException(
                $"{index}: names {names.Count} files, more than {MostFiles}; join some of them.");
        var paths = names.ConvertAll(name => ForeignDirectory.Find(Directory, name) ?? throw new InvalidInputException(
            $"{index}: names the file '{name}', which is not in the directory; fetch it, too."));
        foreach (var (name, path) in names.Zip(paths))
        {
            var file = SafetensorsFile.Open(path);
            _files.Add(name, file);
            foreach (var tensor in file.Names)
            {
                if (map.GetValueOrDefault(tensor) == name)
                    _tensors.Add(tensor, file);
                else
                    throw new InvalidInputException(
                        $"{path}: holds tensor '{Printable.Excerpt(tensor)}', which {IndexFile} "
                        + $"{(map.ContainsKey(tensor) ? "has in another file" : "does not list")}; fetch all files of "
                        + "one version.");
            }
        }

        foreach (var (tensor, name) in map)
        {
            if (!_tensors.ContainsKey(tensor))
            {
                throw new InvalidInputException(
                    $"{index}: has tensor '{Printable.Excerpt(tensor)}' in '{name}', which does not hold it; fetch all "
                    + "files of one version.");
            }
        }
    }

    /// <summary>The file name of each tensor.</summary>
    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(RegularFile.ReadAllText(path, RegularFile.SettingsLimit));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out var list)
                || list.ValueKind != JsonValueKind.Object)
            {
                throw new InvalidInputException(
                    $"{path}: has no object 'weight_map' of tensors and their files; fetch the file anew.");
            }

            var map = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var member in list.EnumerateObject())
            {
                var name = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : "";
                if (!ForeignDirectory.IsPlainName(name) || !name.EndsWith(".safetensors", StringComparison.Ordinal))
                {
                    throw new InvalidInputException(
                        $"{path}: the file of tensor '{Printable.Excerpt(member.Name)}' must be a .safetensors file of "
                        + "the directory, not "
                        + $"{Printable.Excerpt(member.Value.GetRawText())}; correct it.");
                }

                if (!map.TryAdd(member.Name, name))
                {
                    throw new InvalidInputException(
                        $"{path}: tensor '{Printable.Excerpt(member.Name)}' is listed twice; remove one.");
                }
            }

            return map;
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(
                $"{path}: not valid JSON ({Printable.Excerpt(e.Message.TrimEnd('.'), longest: 200)}); fetch the file "
                + "anew.", e);
        }
        catch (InvalidOperationException e)
        {
            // What the reader says to a string that escapes half a surrogate pair.
            throw new InvalidInputException($"{path}: holds a text that is not valid Unicode; fetch the file anew.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message.TrimEnd('.')}); check that it may be read.", e);
        }
    }
}
