namespace AnTransformer.Training.Data.Preparation;

/// <summary>How files become documents.</summary>
public sealed record DocumentSourceOptions
{
    /// <summary>The default of <see cref="MaxDocumentBytes"/>.</summary>
    public const int DefaultMaxDocumentBytes = 1 << 27;

    /// <summary>The field of each JSON line that holds the text.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>The column of Parquet files that holds the text (string or byte array).</summary>
    public string TextColumn { get; init; } = "text";

    /// <summary>
    /// Plain text is cut into sections of at most this many bytes, each a document: at the last blank line, else line
    /// end, else space, else character boundary in the second half. The sections together are the file. 0 makes the
    /// whole file one document.
    /// </summary>
    public int SectionBytes { get; init; } = 16 * 1024;

    /// <summary>
    /// If given, plain text is cut at this literal string instead, such as <c>&lt;|endoftext|&gt;</c>, which belongs to
    /// no document.
    /// </summary>
    public string? Separator { get; init; }

    /// <summary>How the bytes of text and JSON files are characters.</summary>
    public TextEncoding Encoding { get; init; }

    /// <summary>
    /// Largest document in bytes (a JSON line, a separated or a whole text, a value of a Parquet file); a larger one is
    /// an error. One of the largest size takes up to about eight times its size of memory.
    /// </summary>
    public int MaxDocumentBytes { get; init; } = DefaultMaxDocumentBytes;

    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    internal void Validate()
    {
        if (TextField.Length == 0)
            throw new InvalidInputException("The text field's name is empty; name a field of the JSON lines.");
        if (TextColumn.Length == 0)
            throw new InvalidInputException("The text column's name is empty; name a column of the Parquet files.");
        if (MaxDocumentBytes is < 1 or > 1 << 30)
            throw new InvalidInputException(
                $"The largest document is {MaxDocumentBytes} bytes; it must be 1 to {1 << 30}.");
        if (SectionBytes != 0 && (SectionBytes < 16 || SectionBytes > MaxDocumentBytes))
        {
            throw new InvalidInputException($"The section size is {SectionBytes} bytes; it must be 0 (whole files) or "
                + "16 to " +
                $"{MaxDocumentBytes}.");
        }
        if (!Enum.IsDefined(Encoding))
            throw new InvalidInputException(
                $"The encoding {(int)Encoding} is not known; choose one of {string.Join(", ", TextEncodings.Names)}.");
        if (Separator is "" || (Separator is not null && System.Text.Encoding.UTF8.GetByteCount(Separator) > 1024))
            throw new InvalidInputException("The document separator must have 1 to 1024 bytes.");
    }

    /// <summary>The error about a document above <see cref="MaxDocumentBytes"/>.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="place">Where it is: "after line 3".</param>
    internal InvalidInputException TooLarge(string path, string place) => new(
        $"'{path}' has a document of more than {MaxDocumentBytes} bytes {place}; split it (plain text by a section "
            + "size, or a separator that "
        + "occurs in it), or allow more with prepare's --max-document-bytes.");
}
