namespace AnTransformer.Cli.Tests;

/// <summary>Every command as somebody uses it who mistypes: one sentence, exit code 2, and no file left behind.</summary>
public sealed class BadArgumentTests(CommandTests.TrainedModel model) : IClassFixture<CommandTests.TrainedModel>
{
    private readonly Angpt _angpt = model.Angpt;

    /// <summary>Arguments separated by spaces, <c>''</c> for an empty one; and pieces that the sentence must have.</summary>
    public static TheoryData<string, string[]> Cases => new()
    {
        // Paths: missing, a directory for a file, a file for a directory, empty, not to be read, beyond ASCII.
        { "info missing", ["missing"] },
        { "info ''", ["<path> is empty"] },
        { "info 😀/größe", ["😀/größe"] },
        { "train ''", ["<config> is empty"] },
        { "train data", ["data", "is a directory"] },
        { "train /proc/self/mem", ["/proc/self/mem", "cannot be read"] },
        { "train corpus.txt", ["corpus.txt:"] },
        { "train --output ''", ["--output"] },
        { "train --output corpus.txt --data.path data --text corpus.txt", ["corpus.txt"] },
        { "eval '' --data data", ["<checkpoint> is empty"] },
        { "eval corpus.txt --data data", ["corpus.txt"] },
        { "eval data --data data", ["data", "neither a checkpoint"] },
        { "eval run --data ''", ["--data is empty"] },
        { "eval run --data missing", ["missing"] },
        { "eval run --data /dev/null", ["/dev/null"] },
        { "eval run", ["--data"] },
        { "inspect run --data data -o ''", ["--output is empty"] },
        { "inspect run --data data -o corpus.txt", ["corpus.txt"] },
        { "inspect run --data data -o /proc/x", ["/proc/x"] },
        { "score missing --tokens 1", ["missing"] },
        { "generate missing --prompt a", ["missing"] },
        { "prepare '' -o x", ["<input> is empty"] },
        { "prepare corpus.txt -o ''", ["--output is empty"] },
        { "prepare corpus.txt -o x --tokenizer ''", ["--tokenizer is empty"] },
        { "prepare corpus.txt -o x --tokenizer run", ["run", "no tokenizer"] },
        { "prepare corpus.txt -o x --tokenizer corpus.txt", ["corpus.txt"] },
        { "tokenizer train corpus.txt -o ''", ["--output is empty"] },
        { "tokenizer train corpus.txt -o corpus.txt", ["corpus.txt", "name a directory"] },
        { "tokenizer train corpus.txt -o /proc/x --vocab-size 257", ["/proc/x", "choose another"] },
        { "tokenizer train missing -o x", ["missing"] },
        { "scaling fit ''", ["<file> is empty"] },
        { "scaling fit missing", ["missing"] },
        { "scaling fit run", ["run", "is a directory"] },
        { "scaling fit corpus.txt -o ''", ["--output is empty"] },
        { "compare ''", ["<config> is empty"] },
        { "sweep run", ["run", "is a directory"] },
        { "config", ["config --help"] },
        { "config shwo", ["did you mean 'show'"] },
        { "config show ''", ["<file> is empty"] },
        { "config show --steps -1", ["--steps: ", "greater than 0"] },
        { "config check", ["file"] },
        { "config check ''", ["<file> is empty"] },
        { "config check run", ["run", "is a directory"] },
        { "config schema --kind trian", ["--kind must be one of train", "trian"] },
        { "bench ''", ["<architectures> is empty"] },

        // Numbers: none, negative, huge, of the wrong kind; named as they were typed.
        { "train --steps -1", ["--steps: ", "greater than 0"] },
        { "train --training.steps 1e30", ["--training.steps: "] },
        { "train --learning_rate nan", ["--learning_rate: "] },
        { "train --seed ''", ["--seed: "] },
        { "train --steps", ["--steps"] },
        { "eval run --data data --batch-size -1", ["--batch-size", "-1"] },
        { "eval run --data data --batch-size 99999999999", ["--batch-size", "whole number up to 2147483647", "99999999999"] },
        { "eval run --data data --batch-size 1e3", ["--batch-size", "whole number", "1e3"] },
        { "eval run --data data --batch-size ''", ["--batch-size", "whole number"] },
        { "generate run --prompt a --temperature hot", ["--temperature must be a number", "hot"] },
        { "generate run --prompt a --temperature nan", ["temperature"] },
        { "generate run --prompt a --top-p 2", ["top-p"] },
        { "generate run --prompt a --top-k 99999999999", ["--top-k"] },
        { "generate run --prompt a --max-tokens 0", ["--max-tokens"] },
        { "prepare corpus.txt -o x --validation-fraction nan", ["--validation-fraction"] },
        { "score run --tokens ''", ["--tokens"] },
        { "score run --tokens -1", ["-1"] },
        { "score run --tokens 1,99999999999", ["99999999999"] },
        { "scaling fit corpus.txt --compute much", ["--compute must be positive numbers of FLOP", "much"] },
        { "scaling fit corpus.txt --compute 1e20 -3", ["--compute must be positive", "-3"] },

        // Choices: by name only.
        { "eval run --data data --split 1", ["--split must be one of train, validation", "'1'"] },
        { "eval run --data data --split training", ["--split must be one of", "training"] },
        { "scaling fit corpus.txt --law 0", ["--law must be one of parametric, power"] },
        { "train --architecture gtp", ["--architecture: ", "did you mean"] },
        { "bench gtp", ["gtp"] },
        { "bench gpt --device xpu", ["xpu"] },

        // Words too many, too few, or misspelled.
        { "", ["--help"] },
        { "scaling", ["scaling --help"] },
        { "tokenizer trian", ["did you mean 'train'"] },
        { "train a b", ["'b'"] },
        { "info", ["path"] },
        { "generate run", ["--prompt"] },
        { "score run", ["--tokens", "--text"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_wrong_argument_is_answered_in_one_sentence(string arguments, string[] fragments)
    {
        var before = Directory.GetFileSystemEntries(_angpt.Folder);
        var result = _angpt.Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(argument => argument == "''" ? "" : argument).ToArray());
        result.AssertRejected(fragments);
        AssertClean(result);
        Assert.Equal(before.Order(), Directory.GetFileSystemEntries(_angpt.Folder).Order());
    }

    [Fact]
    public void A_text_that_begins_with_an_at_sign_is_a_text()
        => Assert.StartsWith("@home", _angpt.Run("generate", "run", "--prompt", "@home", "--max-tokens", "1").AssertSucceeded().Output, StringComparison.Ordinal);

    [Fact]
    public void A_model_beyond_all_memory_is_a_sentence_and_no_internal_error()
    {
        var result = _angpt.Shell($"ulimit -v 60000000; $angpt {string.Join(' ', Angpt.TrainArguments(
            "--training.output", "vast", "--model.hidden_size", "1048576", "--model.num_hidden_layers", "4096"))}");
        result.AssertRejected("not enough memory", "smaller model");
    }

    /// <summary>Content of files, and arguments, that would draw on the terminal or forge lines if they were printed as they are.</summary>
    public static TheoryData<string, string, string> Hostile => new()
    {
        { "evil.yaml", "model:\n  architecture: \"gpt\\e[2J\\nangpt: done\"\n", "train evil.yaml" },
        { "evil.yaml", "model:\n  hidden_size: \"\\e]0;title\\a\"\n", "train evil.yaml" },
        { "evil.yaml", "\"k\\e[31m\\nangpt: key\": 1\n", "train evil.yaml" },
        { "evil.yaml", "a: &x\u001b[31m 1\nb: *x\u001b[31m\n", "train evil.yaml" },
        { "evil.yaml", "training:\n  device: \"cpu\\e[2J\\n\"\n  steps: 1\ndata: {path: x}\n", "train evil.yaml" },
        { "evil.yaml", "sides: [\"gpt\\e[2J\\nx\"]\n", "compare evil.yaml" },
        { "evil.yaml", "fields: [\"learning_rate=\\e[2J\\n\"]\n", "sweep evil.yaml" },
        { "config.json", "{\"model_type\": \"\\u001b[2J\\nangpt\"}", "info config.json" },
        { "config.json", "{\"model_type\": [1,\n\n \"\u009b2J\"], \"vocab_size\": 3}", "info config.json" },
        { "config.json", "{\"model_type\": \"llama\", \"vocab_size\": {\n\"a\":\n1}, \"hidden_size\": 8}", "info config.json" },
        { "config.json", "{\"a\\u001b[2J\\n\": 1, \"a\\u001b[2J\\n\": 2}", "info config.json" },
        { "tokenizer.json", "{\"model\": {\"type\": \"\\u001b[2J\\nX\"}}", "info tokenizer.json" },
        { "tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"\\u001b[2J\\n\": -1}, \"merges\": []}}", "info tokenizer.json" },
        { "evil.csv", "params,tokens,loss\n1,2,\u001b[2J\n3,4,5\n", "scaling fit evil.csv" },
        { "evil.csv", "\"\u001b[2J\nparam\",tokens,loss\n1,2,3\n", "scaling fit evil.csv" },
        { "evil.safetensors", "{\"\\u001b[2J\\n\":{\"dtype\":\"F\\u001b[2J\",\"shape\":[1],\"data_offsets\":[0,4]}}", "info evil.safetensors" },
        { "evil.safetensors", "{\"\\u001b[2J\\n\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4000]}}", "info evil.safetensors" },
        { "evil.jsonl", "{\"text\": \"\u001b[2J\n", "prepare evil.jsonl -o evil" },
        { "evil.yaml", "\"k\\e[31m\\nangpt: key\": 1\n", "config check evil.yaml" },
        { "evil.yaml", "model:\n  architecture: \"gpt\\e[2J\\nangpt: done\"\n", "config show evil.yaml" },
        { "x", "", "config check missing\u001b[2J\nangpt:x" },
        { "x", "", "config show --kind \u001b[2J\nx" },
        { "x", "", "info missing\u001b[2J\nangpt:x" },
        { "x", "", "train\u001b[2J" },
        { "x", "", "train --steps \u001b[2J\nx" },
        { "x", "", "train --\u001b[2J\nx 3" },
        { "x", "", "eval run --data \u001b[2J\nx" },
        { "x", "", "eval run --data data --batch-size \u001b[2J\nx" },
        { "x", "", "bench \u001b[2J\nx" },
        { "x", "", "prepare corpus.txt -o x\u001b[2J/y --tokenizer \u001b[2J\nx" },
        { "x", "", "compare --set \u001b[2J\nx" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void No_content_of_a_file_and_no_argument_reaches_the_terminal_as_it_is(string name, string content, string arguments)
    {
        var folder = Directory.CreateDirectory(_angpt.In("hostile")).FullName;
        var path = Path.Combine(folder, name);
        if (name.EndsWith(".safetensors", StringComparison.Ordinal))
            File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)content.Length), .. System.Text.Encoding.UTF8.GetBytes(content), 0, 0, 0, 0]);
        else
            File.WriteAllText(path, content);
        var result = _angpt.Run(arguments.Split(' ').Select(argument => argument == name ? path : argument).ToArray());
        Directory.Delete(folder, recursive: true);
        result.AssertRejected();
        AssertClean(result);
    }

    private static void AssertClean(Angpt.Result result)
    {
        Assert.Empty(result.Output);
        var lines = result.Error.TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.DoesNotContain(line, character => char.IsControl(character) || character is '\u2028' or '\u2029'));
        // Progress may come before; the sentence is the last line, and nobody forged another.
        Assert.Single(lines, line => line.StartsWith("angpt: ", StringComparison.Ordinal) && !line.StartsWith("angpt: warning: ", StringComparison.Ordinal));
        Assert.True(lines[^1].Length <= 2000, lines[^1]);
    }
}
