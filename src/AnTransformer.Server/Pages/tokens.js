// Tokens that show their probability, and on demand what else was expected in their place.

const detail = document.getElementById('detail');

/** From red, improbable, by yellow to green; e^-6 and less is as red as can be. */
function colour(logprob) {
  const share = Math.max(0, 1 + logprob / 6);
  return share < 0.5 ? 'var(--low)' : share < 0.85 ? 'var(--mid)' : 'var(--high)';
}

/** Spaces and line ends, which cannot be seen. */
export function visible(text) {
  return text.replaceAll('\n', '⏎').replaceAll('\t', '⇥').replaceAll(' ', '·') || '∅';
}

const percent = (logprob) => `${(100 * Math.exp(logprob)).toPrecision(3)} %`;

export function tokenElement(text, token, logprob, alternatives) {
  const element = document.createElement('span');
  element.className = 'token';
  element.textContent = text;
  element.tabIndex = -1;
  element.style.setProperty('--colour', colour(logprob));
  element.setAttribute('role', 'button');
  element.setAttribute('aria-label', `${text.trim() || visible(text)}, ${percent(logprob)}`);
  const show = () => showDetail(token, alternatives);
  element.addEventListener('mouseenter', show);
  element.addEventListener('focus', show);
  element.addEventListener('click', () => element.focus());
  return element;
}

function showDetail(token, alternatives) {
  const list = document.createElement('ul');
  for (const [text, logprob] of Object.entries(alternatives).sort((a, b) => b[1] - a[1])) {
    const item = document.createElement('li');
    const code = document.createElement('code');
    code.textContent = visible(text);
    const meter = document.createElement('meter');
    meter.value = Math.exp(logprob);
    meter.setAttribute('aria-hidden', 'true');
    item.append(code, ` ${percent(logprob)} `, meter);
    if (text === token)
      item.dataset.drawn = '';
    list.append(item);
  }
  detail.replaceChildren(list);
  detail.hidden = false;
}

/** One token of a text can be reached by Tab, the others from it by arrow keys. */
export function initTokenKeys(container) {
  container.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const current = event.target.closest('.token');
    if (!step || !current)
      return;
    const tokens = [...current.parentElement.querySelectorAll('.token')];
    const next = tokens[tokens.indexOf(current) + step];
    if (next) {
      current.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      event.preventDefault();
    }
  });
}
