import { complete, getJson, initKey } from './client.js';
import { initTokenKeys, tokenElement } from './tokens.js';

const $ = (id) => document.getElementById(id);
const selects = [$('model-0'), $('model-1')];
let stop = null;

function say(text, isError = false) {
  $('status').textContent = text;
  $('status').classList.toggle('error', isError);
}

async function loadModels() {
  try {
    const { data } = await getJson('v1/models');
    const option = (model) => new Option(`${model.id} (${model.architecture})`, model.id);
    selects[0].replaceChildren(...data.map(option));
    selects[1].replaceChildren(new Option('none', ''), ...data.map(option));
    say('');
  } catch (error) {
    if (/key/i.test(error.message))
      $('key-details').open = true;
    say(error.message, true);
  }
}

function request(model) {
  const number = (id) => Number($(id).value);
  return {
    model,
    prompt: $('prompt').value,
    max_tokens: number('max_tokens'),
    temperature: number('temperature'),
    top_p: number('top_p'),
    top_k: number('top_k'),
    min_p: number('min_p'),
    repetition_penalty: number('repetition_penalty'),
    seed: $('seed').value === '' ? undefined : number('seed'),
    stop: $('stop').value || undefined,
    logprobs: 5,
  };
}

function makeOutput(model) {
  const output = document.createElement('section');
  output.className = 'output';
  output.setAttribute('aria-label', `Text of ${model}`);
  const title = document.createElement('h2');
  title.textContent = model;
  const text = document.createElement('p');
  text.className = 'text';
  const prompt = document.createElement('span');
  prompt.className = 'prompt';
  prompt.textContent = $('prompt').value;
  text.append(prompt);
  const figures = document.createElement('p');
  figures.className = 'figures';
  output.append(title, text, figures);
  return { output, text, figures };
}

/** The text of a chunk, token by token: each from its offset to the next one's. */
function append(element, choice, state) {
  state.text += choice.text;
  const points = [...state.text];
  const { tokens, token_logprobs: logprobs, top_logprobs: top, text_offset: offsets } = choice.logprobs;
  const fill = (end) => {
    // What was held back of the token before, since it could have been the beginning of a stop text.
    if (end > state.shown)
      (state.last ?? element).append(points.slice(state.shown, end).join(''));
    state.shown = Math.max(end, state.shown);
  };
  tokens.forEach((token, i) => {
    fill(offsets[i]);
    const end = i + 1 < offsets.length ? offsets[i + 1] : points.length;
    const span = tokenElement(points.slice(offsets[i], end).join(''), token, logprobs[i], top[i]);
    if (state.count++ === 0)
      span.tabIndex = 0;
    state.logprob += logprobs[i];
    state.shown = Math.max(end, state.shown);
    state.last = span;
    element.append(span);
  });
  fill(points.length);
}

async function run(model, signal) {
  const { output, text, figures } = makeOutput(model);
  $('outputs').append(output);
  output.setAttribute('aria-busy', 'true');
  const state = { text: '', count: 0, logprob: 0, shown: 0, last: null };
  const start = performance.now();
  let reason = 'stopped';
  try {
    for await (const chunk of complete(request(model), signal)) {
      for (const choice of chunk.choices) {
        append(text, choice, state);
        if (choice.finish_reason)
          reason = choice.finish_reason === 'stop' ? 'ended by itself' : 'as long as asked for, or as the context';
      }
    }
  } finally {
    output.removeAttribute('aria-busy');
    const seconds = (performance.now() - start) / 1000;
    figures.textContent = state.count === 0 ? '' : `${state.count} tokens, ${(state.count / seconds).toFixed(1)} a second; ${
      (-state.logprob / state.count).toFixed(3)} nats a token; ${reason}`;
  }
  return state.count;
}

async function generate() {
  const models = selects.map((select) => select.value).filter((name) => name);
  if (models.length === 0 || stop)
    return;
  stop = new AbortController();
  $('generate').disabled = true;
  $('cancel').disabled = false;
  $('outputs').replaceChildren();
  say('Drawing tokens …');
  const results = await Promise.allSettled(models.map((model) => run(model, stop.signal)));
  const failed = results.find((result) => result.status === 'rejected' && result.reason.name !== 'AbortError');
  if (failed)
    say(failed.reason.message, true);
  else if (stop.signal.aborted)
    say('Stopped.');
  else
    say(`Done: ${results.map((result) => `${result.value} tokens`).join(' and ')}.`);
  stop = null;
  $('generate').disabled = false;
  $('cancel').disabled = true;
}

initKey();
initTokenKeys($('outputs'));
$('form').addEventListener('submit', (event) => { event.preventDefault(); generate(); });
$('cancel').addEventListener('click', () => stop?.abort());
$('key').addEventListener('change', loadModels);
$('colours').addEventListener('change', (event) => $('outputs').classList.toggle('coloured', event.target.checked));
$('outputs').classList.add('coloured');
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.ctrlKey)
    $('form').requestSubmit();
  if (event.key === 'Escape')
    stop?.abort();
});
loadModels();
