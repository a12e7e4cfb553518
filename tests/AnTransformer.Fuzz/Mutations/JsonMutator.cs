using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AnTransformer.Fuzz.Mutations;

/// <summary>Changes the values, the keys and the shape of JSON; the result is JSON, or nearly so.</summary>
internal static class JsonMutator
{
    private const int DeepNesting = 3000;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Changes it.</summary>
    /// <param name="root">Is changed.</param>
    /// <param name="random">Chance.</param>
    /// <param name="changes">Number of changes.</param>
    public static byte[] Change(JsonNode root, Random random, int changes)
    {
        var raw = new List<string>();
        for (var change = 0; change < changes; change++)
            Change(root, random, raw);
        var text = root.ToJsonString(Relaxed);
        for (var i = 0; i < raw.Count; i++)
            text = text.Replace($"\"{Mark(i)}\"", raw[i], StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text);
    }

    private static void Change(JsonNode root, Random random, List<string> raw)
    {
        var containers = Containers(root).ToList();
        switch (containers[random.Next(containers.Count)])
        {
            case JsonObject { Count: > 0 } item:
                var (key, value) = item.ElementAt(random.Next(item.Count));
                switch (random.Next(6))
                {
                    case 0:
                        item.Remove(key);
                        break;
                    case 1:
                        item.Add(Raw(raw, JsonSerializer.Serialize(key, Relaxed)), JsonValue.Create(Raw(raw, AnyValue(random))));
                        break;
                    case 2:
                        item.Remove(key);
                        item.Add(Raw(raw, Interesting.Json[random.Next(Interesting.Json.Length)] is ['"', .., '"'] name ? name : "\"\\ud800\""), value);
                        break;
                    default:
                        item[key] = Changed(value, random, raw);
                        break;
                }

                break;
            case JsonArray { Count: > 0 } list:
                var index = random.Next(list.Count);
                switch (random.Next(4))
                {
                    case 0:
                        list.RemoveAt(index);
                        break;
                    case 1:
                        list.Insert(index, list[random.Next(list.Count)]?.DeepClone());
                        break;
                    default:
                        list[index] = Changed(list[index], random, raw);
                        break;
                }

                break;
            case JsonObject empty:
                empty[Raw(raw, "\"\"")] = JsonValue.Create(Raw(raw, AnyValue(random)));
                break;
            case JsonArray empty:
                empty.Add(JsonValue.Create(Raw(raw, AnyValue(random))));
                break;
        }
    }

    private static JsonValue? Changed(JsonNode? value, Random random, List<string> raw)
    {
        if (value is JsonValue && random.Next(3) == 0)
        {
            if (value.GetValueKind() == JsonValueKind.Number)
                return JsonValue.Create(Interesting.Integers[random.Next(Interesting.Integers.Length)]);
            if (value.GetValueKind() == JsonValueKind.String)
                return JsonValue.Create(TextMutator.Change(value.GetValue<string>(), random, 1));
        }

        return JsonValue.Create(Raw(raw, AnyValue(random)));
    }

    private static string AnyValue(Random random) => random.Next(60) switch
    {
        0 => new string('[', DeepNesting) + new string(']', DeepNesting),
        1 => string.Concat(Enumerable.Repeat("{\"a\":", DeepNesting)) + "1" + new string('}', DeepNesting),
        2 => $"\"{new string('x', 100_000)}\"",
        3 => $"[{string.Join(',', Enumerable.Range(0, 10_000))}]",
        4 => new string('9', 1000),
        _ => Interesting.Json[random.Next(Interesting.Json.Length)],
    };

    private static IEnumerable<JsonNode> Containers(JsonNode node)
    {
        // Large lists of entries would drown all that surrounds them.
        yield return node;
        var children = node switch
        {
            JsonObject item => item.Select(pair => pair.Value),
            JsonArray list => list.AsEnumerable(),
            _ => [],
        };
        foreach (var child in children.Where(child => child is JsonObject or JsonArray).Take(50))
        {
            foreach (var inner in Containers(child!))
                yield return inner;
        }
    }

    private static string Raw(List<string> raw, string text)
    {
        raw.Add(text);
        return Mark(raw.Count - 1);
    }

    private static string Mark(int number) => $"__raw_{number}__";
}
