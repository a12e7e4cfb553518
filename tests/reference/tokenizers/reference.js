import tokenizers from '@anush008/tokenizers';

/** The ids of texts, without the tokens that a post-processor puts around them. */
export async function encode(tokenizer, texts) {
  const ids = [];
  for (const text of texts)
    ids.push((await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds());
  return ids;
}

export const load = json => tokenizers.Tokenizer.fromString(typeof json === 'string' ? json : JSON.stringify(json));

const empty = {
  version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null,
  model: { type: 'BPE', vocab: {}, merges: [] },
};

export function preTokenize(preTokenizer, text) {
  return load({ ...empty, pre_tokenizer: preTokenizer }).getPreTokenizer().preTokenizeString(text).map(([piece]) => piece);
}

export const split = (regex, text, behavior, invert) =>
  preTokenize({ type: 'Split', pattern: { Regex: regex }, behavior, invert }, text);

export const normalizeNfc = text => tokenizers.nfcNormalizer().normalizeString(text);
