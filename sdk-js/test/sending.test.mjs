// What a client does with the answers of a server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InsightHub } from 'insighthub';
import { freePort, sleep } from './support/server.mjs';
import { range, startMock } from './support/mock.mjs';
import { books } from './support/writer.mjs';

function clientOf(t, mock, options = {}) {
  const troubles = [];
  const letters = [];
  const log = new InsightHub({
    nodes: mock.url, service: 'test', lifecycle: false, batchAgeMs: 20,
    onError: (error) => troubles.push(error), onDeadLetter: (letter) => letters.push(letter), ...options,
  });
  t.after(async () => {
    await log.close(0);
    await mock.close?.();
  });
  return { log, troubles, letters };
}

const closes = (log) => {
  const { given, accounted } = books(log.stats());
  assert.equal(given, accounted, JSON.stringify(log.stats()));
};

test('a batch carries its identity, is gzip above 1 KiB and plain below', async (t) => {
  const mock = await startMock();
  const { log } = clientOf(t, mock);
  log.info('small', { n: 0 });
  assert.ok(await log.flush());
  for (const n of range(20)) log.info('more', { n });
  assert.ok(await log.flush());
  const [small, large] = mock.posts();
  assert.equal(small.headers['content-encoding'], undefined);
  assert.equal(large.headers['content-encoding'], 'gzip');
  assert.ok(large.raw.length < 1_024, `${large.raw.length}`);
  assert.match(small.producer, /^js-[0-9a-f-]{36}$/);
  assert.deepEqual([small.producer, small.sequence, large.sequence], [large.producer, 1, 2]);
  const record = JSON.parse(small.records[0]);
  for (const name of ['timestamp', 'level', 'message', 'service', 'instance_id', 'host', 'pid', 'sdk']) assert.ok(name in record, name);
});

for (const status of [408, 429, 500, 502, 503, 504]) {
  test(`${status} is retried under the same identity, and stored once`, async (t) => {
    const mock = await startMock((_, number) => (number <= 2 ? { status } : undefined));
    const { log } = clientOf(t, mock);
    for (const n of range(10)) log.info('x', { n });
    assert.ok(await log.flush(10_000));
    assert.deepEqual(mock.numbers(), range(10));
    assert.equal(new Set(mock.posts().map((post) => `${post.producer} ${post.sequence} ${post.body}`)).size, 1);
    assert.equal(log.stats().retries, 2);
    closes(log);
  });
}

test('a batch whose answer was lost is sent again and not stored twice', async (t) => {
  const mock = await startMock((seen, number, mock) => {
    if (number > 1) return undefined;
    mock.identities.add(`${seen.producer} ${seen.sequence}`);
    mock.stored.push(...seen.records);
    return 'cut';
  });
  const { log } = clientOf(t, mock);
  for (const n of range(10)) log.info('x', { n });
  assert.ok(await log.flush(10_000));
  assert.deepEqual(mock.numbers(), range(10));
  assert.equal(log.stats().duplicate_batches, 1);
  closes(log);
});

test('Retry-After is kept to, in seconds and as a date', async (t) => {
  for (const header of ['1', () => new Date(Date.now() + 2_000).toUTCString()]) {
    const mock = await startMock((_, number) => {
      return number === 1 ? { status: 503, headers: { 'retry-after': typeof header === 'string' ? header : header() } } : undefined;
    });
    const { log } = clientOf(t, mock);
    log.info('x', { n: 0 });
    assert.ok(await log.flush(10_000));
    const [first, second] = mock.posts();
    assert.ok(second.at - first.at >= 990, `came back after ${second.at - first.at} ms`);
  }
});

test('a node that is down, hangs or lies is passed over for one that works', async (t) => {
  const hanging = await startMock(() => 'hang');
  const portal = await startMock(() => ({ text: '<html>please sign in</html>' }));
  const mock = await startMock();
  t.after(() => Promise.all([hanging.close(), portal.close()]));
  const nodes = [`http://127.0.0.1:${await freePort()}`, hanging.url, portal.url, mock.url];
  const { log } = clientOf(t, mock, { nodes, requestTimeoutMs: 300, batchRecords: 5 });
  for (const n of range(100)) log.info('x', { n });
  assert.ok(await log.flush(20_000));
  assert.deepEqual(mock.numbers(), range(100));
  closes(log);
});

test('the nodes an answer names are learnt, others of another scheme are not', async (t) => {
  const other = await startMock();
  t.after(() => other.close());
  const mock = await startMock((_, number) => {
    const nodes = `${mock.url}, ${other.url}, https://elsewhere.example, 0.0.0.0:1, no address`;
    return number === 1 ? { headers: { 'x-insighthub-nodes': nodes } } : { status: 503 };
  });
  const { log } = clientOf(t, mock);
  log.info('x', { n: 0 });
  assert.ok(await log.flush());
  assert.deepEqual(log.nodes, [mock.url, other.url]);
  log.info('x', { n: 1 });
  assert.ok(await log.flush(10_000));
  assert.deepEqual([...mock.numbers(), ...other.numbers()], [0, 1]);
});

test('413 splits the batch until it fits', async (t) => {
  const mock = await startMock((seen) => (seen.records.length > 3 ? { status: 413 } : undefined));
  const { log } = clientOf(t, mock);
  for (const n of range(50)) log.info('x', { n });
  assert.ok(await log.flush(10_000));
  assert.deepEqual(mock.numbers(), range(50));
  assert.equal(log.stats().stored, 50);
  closes(log);
});

test('400 splits down to the record at fault, which is handed back with the reason', async (t) => {
  const mock = await startMock((seen) => {
    const isBad = seen.records.some((line) => JSON.parse(line).n === 13);
    return isBad ? { status: 400, json: { error: { code: 'broken_body', message: 'thirteen' } } } : undefined;
  });
  const { log, letters } = clientOf(t, mock);
  for (const n of range(50)) log.info('x', { n });
  assert.ok(await log.flush(10_000));
  assert.deepEqual(mock.numbers(), range(50).filter((n) => n !== 13));
  assert.equal(letters.length, 1);
  assert.equal(JSON.parse(letters[0].record).n, 13);
  assert.match(letters[0].reason, /thirteen/);
  assert.deepEqual([log.stats().stored, log.stats().rejected], [49, 1]);
  closes(log);
});

test('records the server refused are handed back, the rest counts as stored', async (t) => {
  const mock = await startMock(() => ({
    json: { status: 'partial', accepted: 1, rejected: 1, rejections: [{ position: 1, line: 2, field: 'latency_ms', reason: 'not a number' }] },
  }));
  const { log, letters } = clientOf(t, mock);
  log.info('good', { n: 0 });
  log.info('bad', { n: 1 });
  assert.ok(await log.flush());
  assert.deepEqual(letters.map(({ record, ...rest }) => ({ n: JSON.parse(record).n, ...rest })), [{ n: 1, reason: 'not a number', field: 'latency_ms' }]);
  assert.deepEqual([log.stats().stored, log.stats().rejected], [1, 1]);
  closes(log);
});

test('a sequence that is too old is given up with its reason', async (t) => {
  const mock = await startMock(() => ({ status: 409, json: { error: { code: 'sequence_too_old', message: 'too old' } } }));
  const { log, letters } = clientOf(t, mock);
  log.info('x', { n: 0 });
  assert.ok(await log.flush());
  assert.equal(letters.length, 1);
  assert.equal(mock.posts().length, 1);
  closes(log);
});

test('a refused token loses nothing: records wait until it is good', async (t) => {
  const mock = await startMock((_, number) => (number <= 2 ? { status: 401 } : undefined));
  const { log, troubles } = clientOf(t, mock);
  log.info('x', { n: 0 });
  assert.ok(await log.flush(10_000));
  assert.deepEqual(mock.numbers(), [0]);
  assert.match(troubles[0].message, /401/);
});

test('a redirect is not followed: the token is for the node alone', async (t) => {
  const thief = await startMock();
  t.after(() => thief.close());
  const mock = await startMock(() => ({ status: 307, headers: { location: `${thief.url}/api/logs` } }));
  const { log } = clientOf(t, mock, { token: 'ihs_secret' });
  log.info('x');
  await log.flush(300);
  assert.equal(thief.requests.length, 0);
  assert.equal(mock.posts()[0].headers.authorization, 'Bearer ihs_secret');
});

test('a node that failed is asked by one request at a time, and not often', async (t) => {
  let underWay = 0;
  let peak = 0;
  const mock = await startMock(async (_, number) => {
    underWay += 1;
    // The first ones were under way before anybody knew.
    if (number > 4) peak = Math.max(peak, underWay);
    await sleep(30);
    underWay -= 1;
    return { status: 503 };
  });
  const { log } = clientOf(t, mock, { batchRecords: 1 });
  for (const n of range(200)) log.info('x', { n });
  await log.flush(2_000);
  // Full jitter below 200, 400, 800 ... ms.
  assert.ok(mock.posts().length > 5 && mock.posts().length < 40, `${mock.posts().length} requests in 2 s`);
  assert.equal(peak, 1);
  closes(log);
});

test('a logger that watches HTTP requests does not make every batch write the next', async (t) => {
  const http = (await import('node:http')).default;
  const mock = await startMock();
  const { log } = clientOf(t, mock);
  const original = http.request;
  // What instrumentation does: it logs each request when it starts and when it is answered.
  http.request = (...args) => {
    log.info('a request starts');
    const request = original(...args);
    request.on('response', () => log.info('a request is answered'));
    request.on('close', () => log.info('a request is over'));
    return request;
  };
  const { syncBuiltinESMExports } = await import('node:module');
  syncBuiltinESMExports();
  t.after(() => {
    http.request = original;
    syncBuiltinESMExports();
  });
  log.info('the only one', { n: 0 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(mock.posts().length, 1);
  assert.equal(log.stats().emitted, 1);
});
