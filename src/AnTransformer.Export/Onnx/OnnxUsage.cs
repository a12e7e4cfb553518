namespace AnTransformer.Export.Onnx;

/// <summary>What the model card says about loading a graph.</summary>
internal static class OnnxUsage
{
    /// <summary>A section of Markdown.</summary>
    /// <param name="source">The model.</param>
    public static string Of(ExportSource source)
    {
        if (!source.Config.IsCausal)
        {
            return """
                ONNX Runtime: load `onnx/model.onnx` and give `input_ids`, `attention_mask` (ones; zeros are
                padding) and `position_ids`, each [batch, sequence]; `logits` is [batch, sequence, vocabulary].
                """;
        }

        return """
            ONNX Runtime GenAI, with this directory as the model's:

            ```csharp
            using var model = new Model("this-directory");
            using var tokenizer = new Tokenizer(model);
            ```

            transformers.js, where this directory is `models/NAME`:

            ```js
            import { env, pipeline } from "@huggingface/transformers";
            env.localModelPath = "models/"; env.allowRemoteModels = false;
            const generate = await pipeline("text-generation", "NAME");
            console.log(await generate("A text to continue", { max_new_tokens: 50 }));
            ```

            ONNX Runtime: `onnx/model.onnx` takes `input_ids`, `attention_mask` (over earlier tokens, too; zeros are
            padding), `position_ids` and `past_key_values.N.key` and `.value` (for a text's beginning with no tokens,
            [batch, heads, 0, head size]); it gives `logits` and `present.N.key` and `.value`, the next call's past.
            """;
    }
}
