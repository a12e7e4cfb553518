// Phi's tokenizers are published in no package. They are others' with added tokens, and are composed here after their model cards:
// Phi-2 is GPT-2's with runs of spaces and tabs (CodeGen), Phi-3 is Llama 2's and Phi-4 GPT-4's with tokens of chats that take the
// space around them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const token = (id, content, options = {}) =>
  ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...options });

const range = (first, last) => Array.from({ length: Math.abs(last - first) + 1 }, (_, i) => first + Math.sign(last - first) * i);

const phi2 = file => [
  ...file.added_tokens,
  ...range(31, 2).map((count, i) => token(50257 + i, ' '.repeat(count), { normalized: true, special: false })),
  ...range(9, 2).map((count, i) => token(50287 + i, '\t'.repeat(count), { normalized: true, special: false })),
];

const phi3 = file => [
  ...file.added_tokens.map(added => (added.content === '</s>' ? { ...added, rstrip: true, special: false } : added)),
  token(32000, '<|endoftext|>'),
  ...['<|assistant|>', '<|placeholder1|>', '<|placeholder2|>', '<|placeholder3|>', '<|placeholder4|>', '<|system|>', '<|end|>',
    '<|placeholder5|>', '<|placeholder6|>', '<|user|>'].map((content, i) => token(32001 + i, content, { rstrip: true })),
];

const phi4 = file => {
  // GPT-4's file has its own added tokens in the vocabulary too.
  for (const [content] of Object.entries(file.model.vocab).filter(([, id]) => id >= 100256))
    delete file.model.vocab[content];
  return [
    '<|dummy_0|>', '<|endoftext|>', '<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>', '<|dummy_1|>', '<|dummy_2|>', '<|dummy_3|>',
    '<|im_start|>', '<|im_end|>', '<|im_sep|>',
  ].map((content, i) => token(100256 + i, content, { lstrip: true, rstrip: true }));
};

/** The composed tokenizers whose origins are installed: [name, text of tokenizer.json]. */
export function phi(scope) {
  const made = [];
  for (const [name, origin, addedTokens] of [['phi-2', 'gpt2', phi2], ['phi-3', 'llama2', phi3], ['phi-4', 'gpt35turbo', phi4]]) {
    const path = join(scope, `tokenizer-${origin}`, 'models', 'tokenizer.json');
    if (!existsSync(path))
      continue;
    const file = JSON.parse(readFileSync(path, 'utf8'));
    file.added_tokens = addedTokens(file);
    made.push([`tokenizer-${name}`, JSON.stringify(file)]);
  }

  return made;
}
