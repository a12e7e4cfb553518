// A line chart as SVG: several curves, ticks at round numbers, either axis logarithmic.

const [width, height] = [560, 300];
const margin = { left: 62, right: 12, top: 10, bottom: 34 };
const colours = ['#4c78d8', '#e2761b', '#2e9e5b', '#c4407c', '#8a63d2', '#b08d12', '#1aa1a8', '#d64541', '#7a7f8c', '#6b8e23'];

export const colourOf = (index) => colours[index % colours.length];

function make(name, attributes, parent) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes))
    element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e9)
    return `${+(value / 1e9).toPrecision(3)} G`;
  if (size >= 1e6)
    return `${+(value / 1e6).toPrecision(3)} M`;
  if (size >= 1e4)
    return `${+(value / 1e3).toPrecision(3)} k`;
  return size !== 0 && size < 1e-3 ? value.toExponential(1) : `${+value.toPrecision(4)}`;
}

function ticks(lowest, highest, logarithmic) {
  if (logarithmic) {
    const result = [];
    for (let power = Math.floor(Math.log10(lowest)); power <= Math.ceil(Math.log10(highest)); power++)
      for (const factor of highest / lowest < 50 ? [1, 2, 3, 5] : [1])
        result.push(factor * 10 ** power);
    return result.filter((value) => value >= lowest && value <= highest);
  }
  const raw = (highest - lowest) / 5 || Math.abs(highest) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
  const result = [];
  for (let value = Math.ceil(lowest / step) * step; value <= highest + step * 1e-9; value += step)
    result.push(value);
  return result;
}

function scale(values, from, to, logarithmic) {
  let lowest = Math.min(...values);
  let highest = Math.max(...values);
  if (lowest === highest)
    [lowest, highest] = logarithmic ? [lowest / 1.1, highest * 1.1] : [lowest - 0.5, highest + 0.5];
  const of = logarithmic ? Math.log : (value) => value;
  const place = (value) => from + ((of(value) - of(lowest)) / (of(highest) - of(lowest))) * (to - from);
  return { lowest, highest, place };
}

/** curves: [{ name, colour, x: [...], y: [...] }]; a chart, or null where there is nothing to draw. */
export function chart(title, axis, curves, logarithmic) {
  const usable = curves
    .map((curve) => ({ ...curve, points: curve.x.map((x, i) => [x, curve.y[i]]).filter(([x, y]) => !logarithmic || (x > 0 && y > 0)) }))
    .filter((curve) => curve.points.length > 0);
  if (usable.length === 0)
    return null;
  const points = usable.flatMap((curve) => curve.points);
  const x = scale(points.map((point) => point[0]), margin.left, width - margin.right, logarithmic);
  const y = scale(points.map((point) => point[1]), height - margin.bottom, margin.top, logarithmic);
  const last = usable.map((curve) => `${curve.name} ${short(curve.points.at(-1)[1])}`).join('; ');
  const svg = make('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title} against ${axis}. Last: ${last}` });
  for (const value of ticks(y.lowest, y.highest, logarithmic)) {
    make('line', { class: 'grid', x1: margin.left, x2: width - margin.right, y1: y.place(value), y2: y.place(value) }, svg);
    make('text', { x: margin.left - 6, y: y.place(value) + 4, 'text-anchor': 'end' }, svg).textContent = short(value);
  }
  for (const value of ticks(x.lowest, x.highest, logarithmic))
    make('text', { x: x.place(value), y: height - margin.bottom + 16, 'text-anchor': 'middle' }, svg).textContent = short(value);
  make('text', { x: (width + margin.left) / 2, y: height - 4, 'text-anchor': 'middle' }, svg).textContent = axis;
  for (const curve of usable) {
    const line = curve.points.map(([a, b], i) => `${i ? 'L' : 'M'}${x.place(a).toFixed(1)} ${y.place(b).toFixed(1)}`).join('');
    const path = make('path', { d: curve.points.length > 1 ? line : `${line}h0.1`, stroke: curve.colour, 'stroke-linecap': 'round' }, svg);
    make('title', {}, path).textContent = `${curve.name}: ${short(curve.points.at(-1)[1])}`;
  }
  const figure = document.createElement('figure');
  const caption = document.createElement('figcaption');
  caption.textContent = title;
  figure.append(caption, svg);
  return figure;
}
