// Runs an exported ONNX model in transformers.js and compares with what angpt computed of the checkpoint. See README.md.
import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { AutoModelForCausalLM, AutoTokenizer, Tensor, env } from "@huggingface/transformers";

const [directory, scoreFile, generateFile, device = "cpu"] = process.argv.slice(2);
if (!generateFile) {
  console.error("usage: node agree.mjs EXPORT_DIRECTORY score.json generate.json [cpu|wasm]");
  process.exit(2);
}

env.allowRemoteModels = false;
env.localModelPath = dirname(resolve(directory));
const name = basename(resolve(directory));
const tokenizer = await AutoTokenizer.from_pretrained(name);
const model = await AutoModelForCausalLM.from_pretrained(name, { device });
const score = JSON.parse(readFileSync(scoreFile, "utf8"));
const generate = JSON.parse(readFileSync(generateFile, "utf8"));

const integers = (values) => new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
const { logits } = await model({ input_ids: integers(score.tokens), attention_mask: integers(score.tokens.map(() => 1)) });
const [, length, vocabulary] = logits.dims;
let difference = 0;
for (let at = 1; at < length; at++) {
  const row = logits.data.subarray((at - 1) * vocabulary, at * vocabulary);
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
  difference = Math.max(difference, Math.abs(row[score.tokens[at]] - largest - Math.log(sum) - score.logprobs[at]));
}

const prompt = tokenizer(generate.prompt);
const drawn = await model.generate({ ...prompt, max_new_tokens: generate.tokens.length, do_sample: false });
const ids = Array.from(drawn.data, Number).slice(prompt.input_ids.dims[1]);
const same = ids.every((id, at) => id === generate.tokens[at]) && ids.length === generate.tokens.length;
const text = tokenizer.decode(ids, { skip_special_tokens: true });
console.log(JSON.stringify({
  tokens: length, largest_difference_of_logprobs: difference, greedy_tokens: ids.length, same_tokens: same, same_text: text === generate.text,
}));
process.exit(difference <= 1e-4 && same && text === generate.text ? 0 : 1);
