// @elastic/elasticsearch: each record is a document without an id, sent in bulk by the client's own batching.
import { read } from './records.mjs';
import { client, index, service } from './setup.mjs';

async function* documents() {
  for await (const { fields, level, message, timestamp, error } of read()) {
    const failure = error && { error: { type: error.name, message: error.message, stack_trace: error.stack } };
    yield { '@timestamp': timestamp, service, level, message, ...fields, ...failure };
  }
}

await client.ping();
const result = await client.helpers.bulk({
  datasource: documents(),
  flushBytes: 20_000,
  onDocument: () => ({ create: { _index: index } }),
  onDrop: ({ error }) => console.error('dropped', error),
});
console.log(result);
await client.close();
