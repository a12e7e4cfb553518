using System.Net;
using Microsoft.AspNetCore.Http;

namespace AnTransformer.Server.Security;

/// <summary>
/// Answers requests for known host names only: a page of another site that makes its own name point here (DNS
/// rebinding, CVE-2024-28224) sends that name.
/// </summary>
internal sealed class HostNames
{
    private readonly bool _takesAll;
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase) { "localhost" };

    /// <param name="allowed">Names besides those of the loopback; <c>*</c> for any.</param>
    public HostNames(IEnumerable<string> allowed)
    {
        foreach (var name in allowed)
        {
            _takesAll |= name == "*";
            _names.Add(name);
        }
    }

    /// <summary>Whether a name is known.</summary>
    /// <param name="host">Of the Host header.</param>
    public bool Knows(HostString host)
    {
        if (_takesAll)
            return true;
        if (!host.HasValue)
            return false;
        var name = host.Host.TrimEnd('.');
        return _names.Contains(name)
            || (IPAddress.TryParse(name.Trim('[', ']'), out var address)
                && (IPAddress.IsLoopback(address) || _names.Contains(address.ToString())));
    }
}
