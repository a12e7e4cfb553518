using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Security;

/// <summary>A key that requests must bring, compared in a time that does not depend on where it differs.</summary>
/// <param name="key">The key, or null where none is needed.</param>
internal sealed class GateKey(string? key)
{
    private readonly byte[] _expected = SHA256.HashData(Encoding.UTF8.GetBytes(key ?? ""));

    /// <summary>Whether requests must bring one.</summary>
    public bool IsNeeded => key is not null;

    /// <summary>Whether a request has it, as <c>Authorization: Bearer KEY</c>.</summary>
    public bool IsIn(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var value = request.Headers.Authorization.ToString();
        var given = value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? value[Scheme.Length..].Trim() : "";
        // Hashes have one length, so that neither does the time tell the key's.
        return CryptographicOperations.FixedTimeEquals(_expected, SHA256.HashData(Encoding.UTF8.GetBytes(given)));
    }
}
