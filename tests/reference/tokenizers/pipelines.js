// The stages around the model as published tokenizers have them, with one small vocabulary for all.
const byteLevel = (options = {}) => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true, ...options });
const bytes = byteLevel({ use_regex: false });
const split = (regex, behavior = 'Isolated', invert = false) => ({ type: 'Split', pattern: { Regex: regex }, behavior, invert });
const literal = (text, behavior = 'Isolated', invert = false) => ({ type: 'Split', pattern: { String: text }, behavior, invert });
const sequence = (...pretokenizers) => ({ type: 'Sequence', pretokenizers });
const added = (content, options = {}) => ({
  content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...options,
});
const special = (content, options = {}) => added(content, { special: true, ...options });
const nfc = { type: 'NFC' };
const tail = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const llama3 = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|${tail}`;
const qwen = String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|${tail}`;
const cl100k = String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`;
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const o200k = String.raw`[^\r\n\p{L}\p{N}]?${upper}*${lower}+${contractions}?|[^\r\n\p{L}\p{N}]?${upper}+${lower}*${contractions}?`
  + String.raw`|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const deepseek = [
  split(String.raw`\p{N}{1,3}`),
  split('[一-龥぀-ゟ゠-ヿ]+'),
  split('[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+'),
];
const spaceRuns = Array.from({ length: 12 }, (_, i) => added(' '.repeat(i + 2), { normalized: true }));
const end = special('<|endoftext|>');

export const pipelines = {
  'gpt-2': { pre_tokenizer: byteLevel(), added: [end] },
  'gpt-neox': { normalizer: nfc, pre_tokenizer: byteLevel(), added: [...spaceRuns, added('\t\t', { normalized: true }), end] },
  'phi-2': { pre_tokenizer: byteLevel(), added: [...spaceRuns.map(token => ({ ...token, normalized: true })), end] },
  'roberta': { pre_tokenizer: byteLevel({ add_prefix_space: true }), added: [special('<mask>', { lstrip: true }), end] },
  'llama-3': { pre_tokenizer: sequence(split(llama3), bytes), ignore_merges: true, added: [end] },
  'qwen-3': { normalizer: nfc, pre_tokenizer: sequence(split(qwen), bytes), added: [added('<tool_call>'), special('<|im_start|>'), special('<|im_end|>'), end] },
  'cl100k': { pre_tokenizer: sequence(split(cl100k), bytes), added: [end] },
  'gpt-4o': { pre_tokenizer: sequence(split(o200k, 'Removed', true), bytes), added: [end] },
  'deepseek-v3': { normalizer: { type: 'Sequence', normalizers: [] }, pre_tokenizer: sequence(...deepseek, bytes), added: [added('<x>', { normalized: true }), end] },
  'starcoder': { pre_tokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel()), added: [end] },
  'digit groups': { pre_tokenizer: sequence({ type: 'Digits', individual_digits: false }, byteLevel()), added: [end] },
  'prefix space after a split': { pre_tokenizer: sequence(split(String.raw`\s+`, 'Removed'), byteLevel({ add_prefix_space: true })), added: [end] },
  'removed words, inverted': { pre_tokenizer: sequence(split(String.raw`\w+`, 'Removed', true), bytes), added: [end] },
  'removed spaces': { pre_tokenizer: sequence(split(String.raw`\s`, 'Removed'), bytes), added: [end] },
  'merged with previous': { pre_tokenizer: sequence(split(String.raw`\p{P}`, 'MergedWithPrevious'), bytes), added: [end] },
  'merged with next': { pre_tokenizer: sequence(split(String.raw`\s`, 'MergedWithNext'), bytes), added: [end] },
  'contiguous': { pre_tokenizer: sequence(split(String.raw`[\p{P}\p{S}]`, 'Contiguous'), split('[aeiou]{2}', 'Contiguous', true), bytes), added: [end] },
  'literal': { pre_tokenizer: sequence(literal(' '), literal('.[', 'Removed'), literal("'s", 'MergedWithPrevious'), bytes), added: [end] },
  'flags': {
    normalizer: nfc,
    pre_tokenizer: byteLevel(),
    added: [
      added('<x>', { single_word: true }), added('é!', { normalized: true }), added('lazy', { lstrip: true }), added('over', { rstrip: true }),
      added('123', { single_word: true, lstrip: true, rstrip: true }), special('<s>', { lstrip: true, rstrip: true }), special('</s>', { normalized: true }), end,
    ],
  },
};

/** A file's content: `special` says whether special tokens are in it or left out, which makes them plain text. */
export function toJson(pipeline, model, withSpecial) {
  const tokens = pipeline.added.filter(token => withSpecial || !token.special);
  // As the reference gives them, whatever the file says.
  let next = Object.keys(model.vocab).length;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.map(token => ({ id: model.vocab[token.content] ?? next++, ...token })),
    normalizer: pipeline.normalizer ?? null,
    pre_tokenizer: pipeline.pre_tokenizer,
    post_processor: null,
    decoder: byteLevel(),
    model: {
      type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false,
      byte_fallback: false, ignore_merges: pipeline.ignore_merges ?? false, vocab: model.vocab, merges: model.merges,
    },
  };
}
