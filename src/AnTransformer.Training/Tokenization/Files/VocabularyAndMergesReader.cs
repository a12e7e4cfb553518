using System.Text;
using AnTransformer.Training.Tokenization.BytePairs;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>
/// Reads the two files GPT-2 was published with: a JSON object from token to id, and a list of merges.
/// </summary>
internal static class VocabularyAndMergesReader
{
    public static BytePairDefinition Read(
        string vocabularyPath, string mergesPath, EndOfTextName? endOfText, long? endOfTextId)
    {
        var vocabulary = new BytePairVocabulary(vocabularyPath);
        using (var document = JsonPlace.Parse(vocabularyPath, TokenizerFiles.ReadFile(vocabularyPath)))
        {
            foreach (var (name, place) in new JsonPlace(vocabularyPath, document.RootElement).Members())
                vocabulary.Add(name, place.Integer());
        }

        var number = 0;
        foreach (var line in ReadLines(mergesPath))
        {
            number++;
            if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal)))
                continue;
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0 || space == line.Length - 1 || line.IndexOf(' ', space + 1) >= 0)
            {
                throw new InvalidInputException(
                    $"{mergesPath}: line {number} is not two tokens separated by one space; the file is damaged.");
            }

            vocabulary.AddMerge(line[..space], line[(space + 1)..], mergesPath, $"line {number}");
        }

        return vocabulary.ToDefinition(endOfText, endOfTextId);
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(TokenizerFiles.ReadFile(path));
            return [.. text.TrimStart('\uFEFF').Split('\n').Select(line => line.TrimEnd('\r'))];
        }
        catch (ArgumentException exception)
        {
            throw new InvalidInputException($"{path}: the file is not valid UTF-8; it is damaged.", exception);
        }
    }
}
