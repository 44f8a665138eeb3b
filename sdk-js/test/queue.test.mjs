// What waits: bounded in bytes, dropped by choice, counted and told; and what `log` costs its caller.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InsightHub } from 'insighthub';
import { sleep } from './support/server.mjs';
import { range, startMock } from './support/mock.mjs';
import { books } from './support/writer.mjs';

const QUEUE = 64 << 10;
const padding = 'x'.repeat(200);

/** A client of a server that takes nothing until it is let. */
async function stuck(t, options = {}) {
  let isOpen = false;
  const mock = await startMock(() => (isOpen ? undefined : { status: 503 }));
  const log = new InsightHub({
    nodes: mock.url, service: 'test', lifecycle: false, batchAgeMs: 10, queueBytesMax: QUEUE, onError: () => undefined, ...options,
  });
  t.after(async () => {
    await log.close(0);
    await mock.close();
  });
  return { mock, log, open: () => { isOpen = true; } };
}

function check(log) {
  const { given, accounted } = books(log.stats());
  assert.equal(given, accounted, JSON.stringify(log.stats()));
  assert.ok(log.queueBytes <= QUEUE, `${log.queueBytes}`);
}

for (const whenFull of ['drop-oldest', 'drop-newest']) {
  test(`${whenFull}: memory stays bounded, the loss is counted and told to the server`, async (t) => {
    const { mock, log, open } = await stuck(t, { whenFull });
    for (const n of range(2_000)) {
      log.info('x', { n, padding });
      if (n % 100 === 0) await sleep(1);
      check(log);
    }
    const { dropped, dropped_by: by } = log.stats();
    assert.ok(dropped > 1_500 && by.queue_full === dropped, JSON.stringify(log.stats()));
    open();
    assert.ok(await log.flush(20_000));
    // It is told once.
    assert.ok(await log.flush());
    check(log);
    const numbers = mock.numbers();
    const records = mock.stored.map((line) => JSON.parse(line));
    const told = records.filter((record) => record.sdk_report === 'dropped').reduce((sum, record) => sum + record.dropped, 0);
    assert.equal(told, log.stats().dropped);
    assert.equal(numbers.length + log.stats().dropped, 2_000);
    // The newest survive in one case, the oldest in the other; what was under way survives in both.
    assert.equal(numbers.at(-1) === 1_999, whenFull === 'drop-oldest');
    assert.ok(numbers.includes(0));
  });
}

test('block: who waits for log loses nothing', async (t) => {
  const { mock, log, open } = await stuck(t, { whenFull: 'block' });
  let waits = 0;
  setTimeout(open, 300);
  for (const n of range(2_000)) {
    const room = log.info('x', { n, padding });
    if (room !== undefined) {
      waits += 1;
      await room;
    }
    check(log);
  }
  assert.ok(await log.flush(20_000));
  assert.ok(waits > 0);
  assert.deepEqual(mock.numbers(), range(2_000));
  assert.equal(log.stats().dropped, 0);
});

test('after close records are counted as dropped, and nothing throws', async (t) => {
  const { log, open } = await stuck(t);
  open();
  log.info('x');
  assert.ok(await log.close());
  log.info('too late');
  assert.deepEqual([log.stats().dropped_by.closed, log.stats().stored], [1, 1]);
  assert.equal(books(log.stats()).given, books(log.stats()).accounted);
});

test('log takes far less than a millisecond, whatever the server does', async (t) => {
  const { log } = await stuck(t, { queueBytesMax: 8 << 20 });
  const times = [];
  for (const n of range(20_000)) {
    const started = performance.now();
    log.info('an order was paid', { n, latency_ms: 12, user: 'u-1932' });
    times.push(performance.now() - started);
    if (n % 500 === 0) await sleep(1);
  }
  times.sort((a, b) => a - b);
  const p = (share) => times[Math.floor(times.length * share)];
  console.log(`log: p50 ${(p(0.5) * 1e3).toFixed(1)} us, p99 ${(p(0.99) * 1e3).toFixed(1)} us, p99.9 ${(p(0.999) * 1e3).toFixed(1)} us`);
  assert.ok(p(0.99) < 1, `p99 ${p(0.99)} ms`);
});
