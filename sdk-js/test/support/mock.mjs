// A server that answers as it is told and remembers what it was sent. It keeps the node's promise: a batch that it has
// stored under an identity is not stored again.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { gunzipSync } from 'node:zlib';

export async function startMock(answer = () => undefined, tls = undefined) {
  const mock = { requests: [], stored: [], identities: new Set(), answer };
  const handler = (request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', async () => {
      const raw = Buffer.concat(pieces);
      const { headers, method, url } = request;
      const body = (headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
      const records = body.split('\n').filter(Boolean);
      const seen = {
        method, url, headers, raw, body, records,
        producer: headers['x-insighthub-producer'], sequence: Number(headers['x-insighthub-sequence']), at: Date.now(),
      };
      mock.requests.push(seen);
      let given = url === '/api/cluster' ? { status: 401, json: { error: { code: 'unauthorized', message: 'sign in' } } } : await mock.answer(seen, mock.posts().length, mock);
      if (given === 'hang') return;
      if (given === 'cut') return request.socket.destroy();
      given ??= {};
      const status = given.status ?? 200;
      let json = given.json;
      if (status === 200 && json === undefined) json = store(mock, seen);
      response.writeHead(status, { 'content-type': 'application/json', ...given.headers });
      response.end(given.text ?? JSON.stringify(json ?? { error: { code: 'test', message: `answer ${status}` } }));
    });
  };
  const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  mock.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${server.address().port}`;
  mock.close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  mock.numbers = () => mock.stored.map((line) => JSON.parse(line).n).filter((n) => n !== undefined).sort((a, b) => a - b);
  mock.posts = () => mock.requests.filter((request) => request.method === 'POST');
  return mock;
}

function store(mock, { producer, sequence, records }) {
  const identity = `${producer} ${sequence}`;
  const duplicate = mock.identities.has(identity);
  mock.identities.add(identity);
  if (!duplicate) mock.stored.push(...records);
  const counts = records.length === 1 ? {} : { accepted: records.length, rejected: 0 };
  return { status: 'queued', ...counts, ...(duplicate ? { duplicate } : {}) };
}

export const range = (count) => Array.from({ length: count }, (_, n) => n);
