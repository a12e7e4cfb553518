using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server;

/// <summary>
/// A request that is refused, in the words that the client gets. They tell what is wrong and what to do, and never
/// repeat what was sent.
/// </summary>
internal sealed class ApiException : Exception
{
    /// <param name="status">HTTP's status.</param>
    /// <param name="message">One sentence.</param>
    /// <param name="parameter">The field that is wrong, or null.</param>
    /// <param name="code">OpenAI's word for the error, or null.</param>
    public ApiException(int status, string message, string? parameter = null, string? code = null)
        : base(message) => (Status, Parameter, Code) = (status, parameter, code);

    /// <summary>HTTP's status.</summary>
    public int Status { get; }

    /// <summary>The field that is wrong, or null.</summary>
    public string? Parameter { get; }

    /// <summary>OpenAI's word for the error, or null.</summary>
    public string? Code { get; }

    /// <summary>A field has a value that it cannot have.</summary>
    public static ApiException Invalid(string parameter, string message)
        => new(StatusCodes.Status400BadRequest, message, parameter);
}
