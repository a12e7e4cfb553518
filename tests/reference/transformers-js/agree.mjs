// Runs an exported ONNX model in transformers.js and compares with what angpt computed of the checkpoint. See README.md.
import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { AutoModelForCausalLM, AutoTokenizer, Tensor, env } from "@huggingface/transformers";
import * as wasm from "onnxruntime-web";

const [directory, scoreFile, generateFile] = process.argv.slice(2);
if (!generateFile) {
  console.error("usage: node agree.mjs EXPORT_DIRECTORY score.json generate.json");
  process.exit(2);
}

env.allowRemoteModels = false;
env.localModelPath = dirname(resolve(directory));
const name = basename(resolve(directory));
const tokenizer = await AutoTokenizer.from_pretrained(name);
const model = await AutoModelForCausalLM.from_pretrained(name);
const score = JSON.parse(readFileSync(scoreFile, "utf8"));
const generate = JSON.parse(readFileSync(generateFile, "utf8"));

// The largest difference to the log-probabilities that angpt gave the text.
function compare(logits) {
  const [, length, vocabulary] = logits.dims;
  let difference = 0;
  for (let at = 1; at < length; at++) {
    const row = logits.data.subarray((at - 1) * vocabulary, at * vocabulary);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    difference = Math.max(difference, Math.abs(row[score.tokens[at]] - largest - Math.log(sum) - score.logprobs[at]));
  }
  return difference;
}

const ones = score.tokens.map(() => 1);
const integers = (type, values) => new type("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
const whole = await model({ input_ids: integers(Tensor, score.tokens), attention_mask: integers(Tensor, ones) });
const native = compare(whole.logits);

// Browsers without a GPU run WebAssembly, which Node's build of transformers.js does not offer: the runtime alone does.
const session = await wasm.InferenceSession.create(readFileSync(`${directory}/onnx/model.onnx`));
const feeds = {
  input_ids: integers(wasm.Tensor, score.tokens),
  attention_mask: integers(wasm.Tensor, ones),
  position_ids: integers(wasm.Tensor, score.tokens.map((_, at) => at)),
};
const { num_key_value_heads: heads, head_dim: size } = JSON.parse(readFileSync(`${directory}/config.json`, "utf8"));
for (const input of session.inputNames.filter((input) => input.startsWith("past_key_values"))) {
  feeds[input] = new wasm.Tensor("float32", new Float32Array(0), [1, heads, 0, size]);
}
const web = compare((await session.run(feeds)).logits);

const prompt = tokenizer(generate.prompt);
const drawn = await model.generate({ ...prompt, max_new_tokens: generate.tokens.length, do_sample: false });
const ids = Array.from(drawn.data, Number).slice(prompt.input_ids.dims[1]);
const same = ids.every((id, at) => id === generate.tokens[at]) && ids.length === generate.tokens.length;
const text = tokenizer.decode(ids, { skip_special_tokens: true });
console.log(JSON.stringify({
  tokens: score.tokens.length, largest_difference_of_logprobs: { native, wasm: web },
  greedy_tokens: ids.length, same_tokens: same, same_text: text === generate.text,
}));
process.exit(Math.max(native, web) <= 1e-4 && same && text === generate.text ? 0 : 1);
