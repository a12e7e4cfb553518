// Writes the expected results of the tests: node small.js ../../fixtures/tokenizers
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classes, patterns } from './patterns.js';
import { pipelines, toJson } from './pipelines.js';
import { encode, load, normalizeNfc, split } from './reference.js';
import { texts } from './texts.js';

const folder = process.argv[2];
const merges = 500;
mkdirSync(folder, { recursive: true });
const write = (name, lines) => writeFileSync(join(folder, name), lines.join('\n') + '\n');

// GPT-2's stand-ins of bytes.
function alphabet() {
  const printable = b => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++));
}

// Byte pairs of all the texts, across words: so ids change wherever a text is cut at another place.
function learn() {
  const names = alphabet();
  const vocab = Object.fromEntries([...names].sort().map((name, id) => [name, id]));
  const sequences = texts.map(text => [...Buffer.from(text)].map(b => names[b]));
  const pairs = [];
  while (pairs.length < merges) {
    const counts = new Map();
    for (const sequence of sequences) {
      for (let i = 0; i + 1 < sequence.length; i++) {
        const key = `${sequence[i]} ${sequence[i + 1]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }

    const [best] = [...counts].filter(([key]) => key.length < 12).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
    const [left, right] = best.split(' ');
    pairs.push(best);
    vocab[left + right] ??= Object.keys(vocab).length;
    for (const sequence of sequences) {
      for (let i = 0; i + 1 < sequence.length; i++) {
        if (sequence[i] === left && sequence[i + 1] === right)
          sequence.splice(i, 2, left + right);
      }
    }
  }

  // Words that no merge makes, for ignore_merges.
  for (const word of ['Ġquick', 'Ġjumps', 'Ġreturn'])
    vocab[word] ??= Object.keys(vocab).length;
  return { vocab, merges: pairs };
}

const codePoints = [];
for (let value = 0; value <= 0x10ffff; value++) {
  if (value < 0xd800 || value > 0xdfff)
    codePoints.push(String.fromCodePoint(value));
}

const hash = parts => {
  const sha = createHash('sha256');
  for (const part of parts)
    sha.update(part);
  return sha.digest('hex');
};

function* matched(pattern) {
  for (let i = 0; i < codePoints.length; i += 16384)
    yield split(pattern, codePoints.slice(i, i + 16384).join(''), 'Removed', true).join('');
}

function* normalized() {
  for (const character of codePoints)
    yield normalizeNfc(`${character}|e${character}|x${character}\u0334|x\u0345${character}|${character}\u0301\u0323|\u1100${character}\u11a8\n`);
}

const model = learn();
write('texts.json', ['[', texts.map(text => JSON.stringify(text)).join(',\n'), ']']);
write('model.json', ['{"vocab":', JSON.stringify(model.vocab), ',"merges":', JSON.stringify(model.merges), '}']);
const cases = [];
for (const [name, pipeline] of Object.entries(pipelines)) {
  const { model: settings, ...file } = toJson(pipeline, model, true);
  const { vocab, merges, ...rest } = settings;
  const plain = await encode(load(toJson(pipeline, model, false)), texts);
  const recognized = await encode(load(toJson(pipeline, model, true)), texts);
  const different = Object.fromEntries(recognized.map((ids, i) => [i, ids]).filter(([i, ids]) => JSON.stringify(ids) !== JSON.stringify(plain[i])));
  cases.push(`{"name": ${JSON.stringify(name)},\n"file": ${JSON.stringify({ ...file, model: rest })},\n"ids": [\n${plain.map(ids => JSON.stringify(ids)).join(',\n')}],\n`
    + `"recognized": {${Object.entries(different).map(([i, ids]) => `\n"${i}": ${JSON.stringify(ids)}`).join(',')}}}`);
}

write('pipelines.json', ['[', cases.join(',\n'), ']']);
write('patterns.json', ['[', patterns.filter(item => !/[\ud800-\udfff]/.test(item.pattern)).map(item =>
  JSON.stringify({ ...item, pieces: split(item.pattern, item.text, item.behavior, item.invert) })).join(',\n'), ']']);
write('unicode.json', ['{', [...classes.map(pattern => `${JSON.stringify(pattern)}: "${hash(matched(pattern))}"`), `"NFC": "${hash(normalized())}"`].join(',\n'), '}']);
