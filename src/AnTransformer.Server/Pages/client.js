// What the server answers, and its errors in its own words.

const keyField = () => document.getElementById('key');

export function initKey() {
  const field = keyField();
  if (!field)
    return;
  field.value = sessionStorage.getItem('angpt-key') ?? '';
  field.addEventListener('change', () => sessionStorage.setItem('angpt-key', field.value));
}

function headers(more) {
  const key = keyField()?.value || sessionStorage.getItem('angpt-key');
  return key ? { ...more, Authorization: `Bearer ${key}` } : more;
}

async function failure(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `The server answered with status ${response.status}.`;
  }
}

async function get(path) {
  const response = await fetch(path, { headers: headers({}) });
  if (!response.ok)
    throw new Error(await failure(response));
  return response;
}

export const getJson = async (path) => (await get(path)).json();
export const getBlob = async (path) => (await get(path)).blob();
export const hasKey = () => Boolean(keyField()?.value || sessionStorage.getItem('angpt-key'));

/** Chunks of a completion as they come. */
export async function* complete(body, signal) {
  const response = await fetch('v1/completions', {
    method: 'POST',
    headers: headers({ 'Content-Type': 'application/json' }),
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (!response.ok)
    throw new Error(await failure(response));
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let held = '';
  let isDone = false;
  for (;;) {
    const { value, done } = await reader.read();
    // Read to the end: a stream that is left counts as one that was stopped.
    if (done && isDone)
      return;
    if (done)
      throw new Error('The server closed the connection before the text was done.');
    held += decoder.decode(value, { stream: true });
    const events = held.split('\n\n');
    held = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, '');
      if (data === '[DONE]') {
        isDone = true;
        continue;
      }
      const chunk = JSON.parse(data);
      if (chunk.error)
        throw new Error(chunk.error.message);
      yield chunk;
    }
  }
}
