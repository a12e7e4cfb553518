using AnTransformer.Architectures;
using AnTransformer.Configuration;

namespace AnTransformer.Tests.Models;

/// <summary>Shapes of attention in <c>config.json</c>.</summary>
public sealed class ModelConfigShapeTests
{
    [Theory]
    [InlineData("\"num_key_value_heads\": 3", "config.json: num_key_value_heads 3 does not divide num_attention_heads 4, and each is shared by equally many heads; choose a divisor.")]
    [InlineData("\"num_key_value_heads\": 8", "config.json: num_key_value_heads 8 does not divide num_attention_heads 4, and each is shared by equally many heads; choose a divisor.")]
    [InlineData("\"num_key_value_heads\": 0", "config.json: num_key_value_heads must be a positive number, not 0.")]
    [InlineData("\"num_key_value_heads\": 1.5", "config.json: num_key_value_heads must be a whole number, not 1.5.")]
    [InlineData("\"head_dim\": 7", "config.json: head_dim 7 is odd, and rotary positions need pairs; choose an even number.")]
    [InlineData("\"head_dim\": -2", "config.json: head_dim must be a positive number, not -2.")]
    [InlineData("\"head_dim\": 2000000000", "config.json: num_attention_heads 4 times head_dim 2000000000 exceeds 16777216; choose smaller ones.")]
    [InlineData("\"sliding_window\": 0", "config.json: sliding_window must be a positive number, not 0.")]
    [InlineData("\"sliding_window\": 4, \"is_causal\": false", "config.json: sliding_window 4 needs causal attention, and is_causal is false; leave out one of the two.")]
    [InlineData("\"tie_word_embeddings\": 1", "config.json: tie_word_embeddings must be true or false, not 1.")]
    public void What_does_not_fit_is_refused_in_one_sentence(string member, string message)
        => Assert.Equal(message, Assert.Throws<InvalidInputException>(() => Parse(member)).Message);

    [Fact]
    public void A_width_that_heads_do_not_divide_needs_a_head_size()
    {
        var message = Assert.Throws<InvalidInputException>(() => Parse("\"qk_norm\": true", hiddenSize: 30)).Message;
        Assert.Contains("give head_dim", message, StringComparison.Ordinal);
        Assert.Equal(new AttentionShape(4, 4, 8), Parse("\"head_dim\": 8", hiddenSize: 30).Attention);
    }

    [Fact]
    public void Hugging_Faces_keys_are_read_and_written()
    {
        var config = Parse("\"num_key_value_heads\": 2, \"head_dim\": 16, \"tie_word_embeddings\": true");
        Assert.Equal(new AttentionShape(4, 2, 16), config.Attention);
        Assert.True(config.TieWordEmbeddings);
        var text = ModelConfigJson.Write(config);
        Assert.Contains("\"num_key_value_heads\": 2,", text, StringComparison.Ordinal);
        Assert.Contains("\"head_dim\": 16,", text, StringComparison.Ordinal);
        Assert.Contains("\"tie_word_embeddings\": true", text, StringComparison.Ordinal);
        Assert.Equal(config, ModelConfigJson.Parse(text, "again"));
    }

    [Fact]
    public void A_window_is_read_written_and_counted()
    {
        var (all, some) = (Parse("\"sliding_window\": null"), Parse("\"sliding_window\": 2"));
        Assert.Null(all.Attention.Window);
        Assert.Equal(2, some.Attention.Window);
        var again = ModelConfigJson.Parse(ModelConfigJson.Write(some), "again");
        Assert.Equal(some.Attention, again.Attention);
        // Of 8 tokens each sees 4 on average, or 2 − 2²/16; 12 operations for each of 32 channels.
        Assert.Equal(12 * 32 * (4 - 1.75),
            ModelCost.TrainingFlopsPerToken(all) - ModelCost.TrainingFlopsPerToken(some));
    }

    [Fact]
    public void Defaults_are_as_many_heads_of_keys_as_of_queries_a_mask_and_a_head_of_its_own()
    {
        var config = Parse("\"qk_norm\": true");
        Assert.Equal(new AttentionShape(4, 4, 8, Causal: true), config.Attention);
        Assert.False(config.TieWordEmbeddings);
    }

    private static ModelConfig Parse(string member, int hiddenSize = 32) => ModelConfigJson.Parse(
        $$"""
        {"model_type": "gpt+", "vocab_size": 10, "hidden_size": {{hiddenSize}}, "num_attention_heads": 4,
        "num_hidden_layers": 1, "max_position_embeddings": 8, {{member}}}
        """,
        "config.json");
}
