using AnTransformer.Evaluation.Tasks;
using ParquetSharp;

namespace AnTransformer.Evaluation.Tests;

/// <summary>What is asked of the rows of each published set: texts written down by hand from lm-evaluation-harness's definitions.</summary>
public sealed class QuestionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("angpt-tasks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Blimp_has_a_group_for_each_file_and_a_space_before_sentences()
    {
        Write("blimp/causative.jsonl", """{"sentence_good":"Aaron breaks the glass.","sentence_bad":"Aaron appeared the glass.","UID":"causative"}""");
        Write("blimp/wh_island.jsonl", """{"sentence_good":"A","sentence_bad":"B"}""" + "\n\n" + """{"sentence_good":"C","sentence_bad":"D"}""");
        Write("blimp/README.txt", "words");
        Write("other.jsonl", """{"sentence_good":"not","sentence_bad":"read"}""");
        var groups = Read("blimp");
        Assert.Equal(["blimp_causative", "blimp_wh_island"], groups.Select(group => group.Name));
        Assert.Equal(
            [new Continuation("", " Aaron breaks the glass."), new Continuation("", " Aaron appeared the glass.")], groups[0].Questions[0].Choices);
        Assert.Equal(2, groups[1].Questions.Count);
        Assert.All(groups.SelectMany(group => group.Questions), question => Assert.Equal(0, question.Gold));
    }

    [Fact]
    public void HellaSwag_is_cleaned_of_what_its_pages_left()
    {
        Write("hellaswag_val.jsonl", """
            {"ind":24,"activity_label":"Roof shingle removal","ctx_a":"A man is [header] sitting on a roof.","ctx_b":"hE Sees","endings":[" is using wrap. ","rips  tiles [title] now","[substeps] holds it","pulls"],"label":3}
            """);
        Write("hellaswag_train.jsonl", "{}");
        var question = Assert.Single(Assert.Single(Read("hellaswag")).Questions);
        Assert.Equal(3, question.Gold);
        // Brackets leave two spaces, which become one; what follows [substeps] keeps its space.
        Assert.Equal("Roof shingle removal: A man is sitting on a roof. He sees", question.Choices[0].Context);
        Assert.Equal(["is using wrap.", "rips tiles. now", " holds it", "pulls"], question.Answers);
        Assert.Equal(" rips tiles. now", question.Choices[1].Text);
    }

    [Theory]
    [InlineData("""{"id":"x","question":{"stem":"Which is it?","choices":[{"text":"this","label":"A"},{"text":"that","label":"B"}]},"answerKey":"B"}""")]
    [InlineData("""{"id":"x","question":"Which is it?","choices":{"text":["this","that"],"label":["A","B"]},"answerKey":"B"}""")]
    public void Arc_is_read_as_either_publisher_has_it(string row)
    {
        Write("ARC-V1-Feb2018-2/ARC-Easy/ARC-Easy-Test.jsonl", row);
        Write("ARC-V1-Feb2018-2/ARC-Easy/ARC-Easy-Dev.jsonl", "{}");
        Write("ARC-V1-Feb2018-2/ARC-Challenge/ARC-Challenge-Test.jsonl", row.Replace("Which", "What", StringComparison.Ordinal));
        var question = Assert.Single(Assert.Single(Read("arc_easy")).Questions);
        Assert.Equal(1, question.Gold);
        Assert.Equal(
            [new Continuation("Question: Which is it?\nAnswer:", " this"), new Continuation("Question: Which is it?\nAnswer:", " that")],
            question.Choices);
        Assert.StartsWith("Question: What", Read("arc_challenge")[0].Questions[0].Choices[0].Context, StringComparison.Ordinal);
    }

    [Fact]
    public void Piqa_finds_its_answers_beside_the_questions_or_among_them()
    {
        Write("physicaliqa-train-dev/dev.jsonl", """{"goal":"To dry","sol1":"wait","sol2":"pour"}""" + "\n" + """{"goal":"To wet","sol1":"wait","sol2":"pour"}""");
        Write("physicaliqa-train-dev/dev-labels.lst", "0\n1\n");
        Assert.Equal([0, 1], Read("piqa")[0].Questions.Select(question => question.Gold));
        Assert.Equal(new Continuation("Question: To wet\nAnswer:", " pour"), Read("piqa")[0].Questions[1].Choices[1]);
        Write("physicaliqa-train-dev/dev-labels.lst", "0\n");
        Rejected("piqa", "dev-labels.lst", "1 answers to 2 questions");
        File.Delete(Path.Combine(_folder, "physicaliqa-train-dev/dev-labels.lst"));
        Rejected("piqa", "no dev-labels.lst beside it");
        Write("physicaliqa-train-dev/valid.jsonl", """{"goal":"g","sol1":"a","sol2":"b","label":1}""");
        Assert.Equal(1, Read("piqa")[0].Questions[0].Gold);
    }

    [Fact]
    public void WinoGrande_scores_what_follows_the_gap()
    {
        Write("winogrande_1.1/dev.jsonl", """{"qID":"1","sentence":"The trophy is not in the case since the _ is big .","option1":"trophy","option2":"case","answer":"1"}""");
        var question = Assert.Single(Assert.Single(Read("winogrande")).Questions);
        Assert.Equal(0, question.Gold);
        Assert.Equal(
            [new Continuation("The trophy is not in the case since the trophy", " is big ."),
                new Continuation("The trophy is not in the case since the case", " is big .")],
            question.Choices);
        Write("winogrande_1.1/dev.jsonl", """{"sentence":"no gap","option1":"a","option2":"b","answer":"1"}""");
        Rejected("winogrande", "dev.jsonl:1", "\"sentence\"");
    }

    [Theory]
    [InlineData("lambada_test.jsonl", """{"text":"in the house he sat"}""")]
    [InlineData("lambada_test_plain_text.txt", "in the house he sat")]
    public void Lambada_is_about_the_last_word(string file, string line)
    {
        Write(file, line + "\n");
        var question = Assert.Single(Assert.Single(Read("lambada")).Questions);
        Assert.Equal([new Continuation("in the house he", " sat")], question.Choices);
    }

    [Fact]
    public void Parquet_is_read_with_its_lists()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "ARC-Challenge"));
        using (var file = new ParquetFileWriter(
            Path.Combine(_folder, "ARC-Challenge", "test-00000-of-00001.parquet"),
            [new Column<string>("question"), new Column<string[]>("choices"), new Column<string>("answerKey"), new Column<long?>("label")]))
        {
            using var group = file.AppendRowGroup();
            using (var column = group.NextColumn().LogicalWriter<string>())
                column.WriteBatch(["one", "two"]);
            using (var column = group.NextColumn().LogicalWriter<string[]>())
                column.WriteBatch([["a", "b", "c"], ["d", "e"]]);
            using (var column = group.NextColumn().LogicalWriter<string>())
                column.WriteBatch(["B", "A"]);
            using (var column = group.NextColumn().LogicalWriter<long?>())
                column.WriteBatch([null, 1]);
            file.Close();
        }

        Write("task.yaml", "file: ARC-Challenge/test-00000-of-00001.parquet\nprompt: '{question}?'\nchoices: ['{choices}']\nanswer: answerKey\nlabels: [A, B, C]\n");
        var questions = Read(Path.Combine(_folder, "task.yaml"))[0].Questions;
        Assert.Equal(["a", "b", "c"], questions[0].Answers);
        Assert.Equal([1, 0], questions.Select(question => question.Gold));
        Assert.Equal(new Continuation("two?", " e"), questions[1].Choices[1]);
        File.WriteAllBytes(Path.Combine(_folder, "ARC-Challenge", "test-00000-of-00001.parquet"), [.. "PAR1 no more"u8]);
        Rejected(Path.Combine(_folder, "task.yaml"), "no valid Parquet file");
    }

    [Theory]
    [InlineData("answer: gold", """{"q":"Sky?","options":["blue","green"],"gold":1}""", 1)]
    [InlineData("answer: gold", """{"q":"Sky?","options":["blue","green"],"gold":"green"}""", 1)]
    [InlineData("answer: gold\nlabels: ['{marks}']", """{"q":"Sky?","options":["blue","green"],"gold":"x","marks":["x","y"]}""", 0)]
    public void A_description_makes_a_task_of_any_file(string yaml, string row, int gold)
    {
        Write("mine.yaml", $"file: mine.jsonl\nprompt: \"Q: {{q}}\\nA:\"\nchoices: [\"{{options}}\"]\n{yaml}\n");
        Write("mine.jsonl", row);
        var task = Assert.Single(TaskRegistry.Find([Path.Combine(_folder, "mine.yaml")]));
        Assert.Equal("mine", task.Name);
        var question = Assert.Single(Assert.Single(task.Read(_folder)).Questions);
        Assert.Equal(gold, question.Gold);
        Assert.Equal([new Continuation("Q: Sky?\nA:", " blue"), new Continuation("Q: Sky?\nA:", " green")], question.Choices);
    }

    [Theory]
    [InlineData("""{"q":1}""", "mine.jsonl:1", "no field \"options\"")]
    [InlineData("{", "mine.jsonl:1", "not a JSON object")]
    [InlineData("""{"options":["a"],"gold":0}""", "mine.jsonl:1", "fewer than two answers")]
    [InlineData("""{"options":["a","b"],"gold":2}""", "mine.jsonl:1", "there are 2")]
    [InlineData("""{"options":["a",""],"gold":0}""", "mine.jsonl:1", "empty answer")]
    [InlineData("""{"options":["a",{}],"gold":0}""", "mine.jsonl:1", "not a text")]
    [InlineData("""{"options":["a","b"],"gold":"c"}""", "mine.jsonl:1", "\"gold\"")]
    [InlineData("""{"options":["a","b"],"options":["a","b"],"gold":0}""", "mine.jsonl:1", "not a JSON object")]
    [InlineData("""{"options":["a","b"],"gold":{"x":1,"x":2}}""", "mine.jsonl:1", "not a JSON object")]
    [InlineData("""{"options":["a","\ud800"],"gold":0}""", "mine.jsonl:1", "no Unicode text")]
    [InlineData("""{"\ud800":1,"options":["a","b"],"gold":0}""", "mine.jsonl:1", "not a JSON object")]
    [InlineData("", "mine.jsonl", "no questions")]
    public void What_cannot_be_asked_is_refused_with_its_place(string row, string place, string reason)
    {
        Write("mine.yaml", "file: mine.jsonl\nchoices: [\"{options}\"]\nanswer: gold\n");
        Write("mine.jsonl", row);
        Rejected(Path.Combine(_folder, "mine.yaml"), place, reason);
    }

    [Fact]
    public void Files_are_told_apart_or_asked_for()
    {
        Rejected("hellaswag", "no file of hellaswag", "hellaswag/val.jsonl");
        Write("a/hellaswag_val.jsonl", "{}");
        Write("b/hellaswag_val.jsonl", "{}");
        Rejected("hellaswag", "several files fit hellaswag", "a/hellaswag_val.jsonl");
        Write("blimp/x.jsonl", """{"sentence_good":"a","sentence_bad":"b"}""");
        Write("blimp/more/x.jsonl", """{"sentence_good":"a","sentence_bad":"b"}""");
        Rejected("blimp", "several files of blimp are called x");
        var missing = Assert.Throws<InvalidInputException>(() => TaskRegistry.Find(["blimp"])[0].Read(Path.Combine(_folder, "none")));
        Assert.Contains("no such directory", missing.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => TaskRegistry.Find([" "]));
        Assert.Throws<InvalidInputException>(() => TaskRegistry.Find(["mmlu"]));
    }

    private IReadOnlyList<QuestionGroup> Read(string task) => TaskRegistry.Find([task])[0].Read(_folder);

    private void Rejected(string task, params string[] fragments)
    {
        var message = Assert.Throws<InvalidInputException>(() => Read(task)).Message;
        Assert.All(fragments, fragment => Assert.Contains(fragment, message, StringComparison.Ordinal));
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
