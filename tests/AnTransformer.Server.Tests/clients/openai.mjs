// The openai package of npm against a server: node openai.mjs ADDRESS. Prints what it saw as one JSON object.
import OpenAI from 'openai';

const client = new OpenAI({ apiKey: 'unused', baseURL: `${process.argv[2]}/v1`, maxRetries: 0 });
const seen = {};
seen.models = (await client.models.list()).data.map((model) => model.id);

const request = { model: 'first', prompt: 'It was', max_tokens: 8, seed: 3, logprobs: 2 };
const whole = await client.completions.create(request);
seen.text = whole.choices[0].text;
seen.finish = whole.choices[0].finish_reason;
seen.usage = whole.usage;
seen.tokens = whole.choices[0].logprobs.tokens.length;

seen.streamed = '';
for await (const chunk of await client.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })) {
  seen.streamed += chunk.choices[0]?.text ?? '';
  seen.streamedUsage = chunk.usage ?? seen.streamedUsage;
}

const errorOf = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
};
seen.range = await errorOf(client.completions.create({ ...request, temperature: 9 }));
seen.missing = await errorOf(client.completions.create({ ...request, model: 'none' }));
seen.chat = await errorOf(client.chat.completions.create({ model: 'first', messages: [{ role: 'user', content: 'Hello' }] }));

// A stream that is left in the middle.
for await (const _ of await client.completions.create({ ...request, max_tokens: 80, stream: true })) break;
console.log(JSON.stringify(seen));
