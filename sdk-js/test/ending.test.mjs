// How long a process that ends is held up, and what it leaves, when nobody takes its records.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runApp } from './support/app.mjs';
import { directory, freePort } from './support/server.mjs';
import { range, startMock } from './support/mock.mjs';

const app = fileURLToPath(new URL('./apps/ending.mjs', import.meta.url));
const timed = async (...args) => {
  const started = Date.now();
  const end = await runApp(...args, app);
  return { ...end, ms: Date.now() - started };
};

for (const ending of ['return', 'exit', 'uncaught', 'SIGTERM']) {
  test(`${ending} with the server down is held up for its time and no longer, and the loss is counted`, async () => {
    const end = await timed('client', ending, { NODES: `http://127.0.0.1:${await freePort()}`, EXIT_MS: '700' });
    assert.ok(end.ms > 600 && end.ms < 3_000, `${end.ms} ms`);
    assert.match(end.output, /10[01] records could not be delivered/);
    const stats = JSON.parse(/stats (.*)/.exec(end.output)?.[1] ?? '{}');
    if (ending !== 'SIGTERM') assert.deepEqual([stats.dropped_by?.exit, stats.waiting], [ending === 'uncaught' ? 101 : 100, 0], end.output);
  });

  test(`${ending} with the server hanging too`, async (t) => {
    const mock = await startMock(() => 'hang');
    t.after(() => mock.close());
    const end = await timed('client', ending, { NODES: mock.url, EXIT_MS: '700' });
    assert.ok(end.ms > 600 && end.ms < 3_000, `${end.ms} ms`);
    assert.ok(mock.posts().length > 0);
  });

  test(`${ending} with the server down leaves all in the spool for the next process`, async (t) => {
    const spool = join(directory(), 'spool');
    const env = { SPOOL: spool, EXIT_MS: '300' };
    await timed('client', ending, { ...env, NODES: `http://127.0.0.1:${await freePort()}` });
    assert.equal(readdirSync(spool).length, 1);
    const mock = await startMock();
    t.after(() => mock.close());
    await timed('client', 'idle', { ...env, NODES: mock.url, EXIT_MS: '5000' });
    assert.deepEqual(mock.numbers(), range(100));
    assert.deepEqual(existsSync(spool) ? readdirSync(spool) : [], []);
  });
}

test('a second signal ends it at once', async (t) => {
  const mock = await startMock(() => 'hang');
  t.after(() => mock.close());
  const end = await timed('client', 'two-signals', { NODES: mock.url, EXIT_MS: '20000' });
  assert.equal(end.signal, 'SIGTERM');
  assert.ok(end.ms < 5_000, `${end.ms} ms`);
});

test('several clients, also of both module systems, all deliver', async (t) => {
  const mock = await startMock();
  t.after(() => mock.close());
  for (const ending of ['exit', 'SIGTERM']) {
    mock.stored = [];
    const end = await timed('several', ending, { NODES: mock.url });
    assert.deepEqual(mock.numbers(), range(100), end.output);
    assert.equal(end.signal, ending === 'SIGTERM' ? 'SIGTERM' : null);
  }
});

test('a crash is told as the last record, with the error', async (t) => {
  const mock = await startMock();
  t.after(() => mock.close());
  const end = await timed('client', 'uncaught', { NODES: mock.url });
  assert.equal(end.code, 1);
  assert.match(end.output, /nobody catches this/, 'Node still says it itself');
  const last = JSON.parse(mock.stored.at(-1));
  assert.deepEqual([last.level, last.message, last.error.name], ['FATAL', 'nobody catches this', 'Error']);
});
