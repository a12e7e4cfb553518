import { chart, colourOf, short } from './chart.js';
import { getBlob, getJson, hasKey } from './client.js';

const $ = (id) => document.getElementById(id);
const drawn = new Map();      // name → { colour, written, curves }
let runs = [];

const titles = {
  loss: 'Training loss (nats per token)', val_loss: 'Validation loss (nats per token)', learning_rate: 'Learning rate',
  grad_norm: 'Gradient norm', tokens_per_second: 'Tokens per second',
};
const rank = (name) => { const place = Object.keys(titles).indexOf(name); return place < 0 ? 99 : place; };

function cell(row, text, className) {
  const element = row.insertCell();
  element.textContent = text;
  if (className)
    element.className = className;
  return element;
}

function rowOf(run) {
  const row = document.createElement('tr');
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.checked = drawn.has(run.name);
  box.setAttribute('aria-label', `Draw ${run.name}`);
  box.addEventListener('change', async () => {
    if (box.checked)
      drawn.set(run.name, { colour: freeColour(), written: -1, curves: {} });
    else
      drawn.delete(run.name);
    showTable();
    await refreshCurves();
  });
  row.insertCell().append(box);
  const name = cell(row, `${run.name} `, 'name');
  if (drawn.has(run.name)) {
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    swatch.style.background = drawn.get(run.name).colour;
    name.append(swatch);
  }
  const number = (value, digits) => (value == null ? '' : digits === undefined ? short(value) : value.toFixed(digits));
  cell(row, number(run.step), 'number');
  cell(row, number(run.tokens), 'number');
  cell(row, number(run.loss, 4), 'number');
  cell(row, number(run.val_loss, 4), 'number');
  cell(row, number(run.tokens_per_second), 'number');
  cell(row, run.is_damaged ? 'damaged' : run.is_running ? 'training' : `ended ${new Date(run.written * 1000).toLocaleString()}`);
  return row;
}

function freeColour() {
  const used = new Set([...drawn.values()].map((run) => run.colour));
  for (let i = 0; ; i++)
    if (!used.has(colourOf(i)) || i >= used.size)
      return colourOf(i);
}

function showTable() {
  const text = $('filter').value.toLowerCase();
  const focused = document.activeElement?.getAttribute('aria-label');
  $('runs').replaceChildren(...runs.filter((run) => run.name.toLowerCase().includes(text)).map(rowOf));
  if (focused)
    [...$('runs').querySelectorAll('input')].find((box) => box.getAttribute('aria-label') === focused)?.focus();
}

function showCharts() {
  const names = new Set([...drawn.values()].flatMap((run) => Object.keys(run.curves)));
  const figures = [...names].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).map((name) => {
    const curves = [...drawn.entries()].filter(([, run]) => run.curves[name]).map(([label, run]) => {
      const curve = run.curves[name];
      const x = $('axis').value === 'tokens' ? curve.tokens ?? curve.steps : curve.steps;
      return { name: label, colour: run.colour, x, y: curve.values };
    });
    const inTokens = $('axis').value === 'tokens' && curves.length > 0 && rank(name) < 99;
    return chart(titles[name] ?? name, inTokens ? 'tokens' : 'steps', curves, $('logarithmic').checked);
  });
  $('charts').replaceChildren(...figures.filter((figure) => figure));
}

async function refreshCurves() {
  for (const [name, run] of drawn) {
    const written = runs.find((other) => other.name === name)?.written;
    if (run.written === written)
      continue;
    try {
      const curves = await getJson(`api/runs/curves?name=${encodeURIComponent(name)}`);
      run.curves = Object.fromEntries(Object.entries(curves).map(([key, curve]) => [key, lower(curve)]));
      run.written = written;
    } catch (error) {
      say(error.message, true);
    }
  }
  showCharts();
}

const lower = (curve) => ({ steps: curve.steps, tokens: curve.tokens, values: curve.values });

/** A link cannot bring a key; with one the report is fetched, and kept as a file. */
async function openReport(event, address) {
  if (!hasKey())
    return;
  event.preventDefault();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await getBlob(address));
  link.download = 'report.html';
  link.click();
}

function say(text, isError = false) {
  $('status').textContent = text;
  $('status').classList.toggle('error', isError);
}

async function refresh() {
  try {
    const answer = await getJson('api/runs');
    const isFirst = runs.length === 0;
    runs = answer.runs;
    if (isFirst)
      runs.slice(0, 2).forEach((run) => drawn.set(run.name, { colour: freeColour(), written: -1, curves: {} }));
    $('reports').hidden = answer.reports.length === 0;
    $('report-list').replaceChildren(...answer.reports.map((name) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = `api/runs/report?name=${encodeURIComponent(name)}`;
      link.target = '_blank';
      link.rel = 'noopener';
      link.textContent = name;
      link.addEventListener('click', (event) => openReport(event, link.href));
      item.append(link);
      return item;
    }));
    say(`${runs.length} runs, ${runs.filter((run) => run.is_running).length} training.`);
    showTable();
    await refreshCurves();
  } catch (error) {
    say(error.message, true);
  }
}

$('filter').addEventListener('input', showTable);
$('axis').addEventListener('change', showCharts);
$('logarithmic').addEventListener('change', showCharts);
await refresh();
setInterval(() => { if ($('live').checked && !document.hidden) refresh(); }, 5000);
