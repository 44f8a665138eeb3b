// Whom a client asks next: by what the last requests met, under a clock and dice of the test's own.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const dist = join(dirname(createRequire(import.meta.url).resolve('insighthub/package.json')), 'dist', 'esm');
const { Nodes } = await import(join(dist, 'node', 'nodes.js'));
const { delayMs, retryAfterMs } = await import(join(dist, 'core', 'backoff.js'));

function bench(urls, dice = () => 0.999) {
  const clock = { now: 1_000_000 };
  return { clock, nodes: new Nodes(urls, () => clock.now, dice) };
}

test('delays are drawn from below a ceiling that doubles up to a minute', () => {
  assert.deepEqual([1, 2, 3, 4, 9, 10, 50].map((failures) => delayMs(failures, () => 1)), [200, 400, 800, 1_600, 51_200, 60_000, 60_000]);
  assert.equal(delayMs(10, () => 0.5), 30_000);
  assert.equal(delayMs(10, () => 0), 10, 'never at once');
});

test('Retry-After is read in both forms, and nonsense is none', () => {
  const now = Date.parse('2026-01-31T10:00:00Z');
  assert.equal(retryAfterMs('3', now), 3_000);
  assert.equal(retryAfterMs('Sat, 31 Jan 2026 10:00:05 GMT', now), 5_000);
  assert.equal(retryAfterMs('Sat, 31 Jan 2026 09:00:00 GMT', now), 0);
  assert.equal(retryAfterMs('86400', now), 300_000, 'five minutes at most');
  for (const header of [undefined, null, '', 'soon']) assert.equal(retryAfterMs(header, now), undefined);
});

test('requests that failed together count as one failure', () => {
  const { clock, nodes } = bench(['http://a'], () => 1);
  const picked = [nodes.pick(), nodes.pick(), nodes.pick(), nodes.pick()];
  const sentAt = clock.now;
  for (const node of picked) {
    clock.now += 5;
    nodes.failed(node, sentAt, undefined, false);
  }
  assert.equal(picked[0].failures, 1);
  assert.equal(nodes.waitMs(), 185);
});

test('one that failed gets one request to show that it is back, and then its share', () => {
  const { clock, nodes } = bench(['http://a']);
  nodes.failed(nodes.pick(), clock.now, undefined, false);
  assert.equal(nodes.pick(), undefined);
  clock.now += 60_000;
  const trial = nodes.pick();
  assert.equal(trial.url, 'http://a');
  assert.equal(nodes.pick(), undefined, 'one at a time');
  nodes.answered(trial, 5);
  assert.ok(nodes.pick() && nodes.pick());
});

test('another takes over at once, unless all would say the same', () => {
  const { clock, nodes } = bench(['http://a', 'http://b'], () => 0);
  const first = nodes.pick();
  nodes.failed(first, clock.now, 1_000, false);
  const second = nodes.pick();
  assert.notEqual(second.url, first.url);
  nodes.failed(second, clock.now + 1, 2_000, true);
  clock.now += 1_500;
  assert.equal(nodes.pick(), undefined, 'the first is free by now, and would say the same');
  assert.ok(nodes.waitMs() > 0);
});

test('quick nodes get more than slow ones', () => {
  let seed = 1;
  const dice = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const { nodes } = bench(['http://slow', 'http://quick'], dice);
  const counts = {};
  for (let round = 0; round < 1_000; round++) {
    const node = nodes.pick();
    counts[node.url] = (counts[node.url] ?? 0) + 1;
    nodes.answered(node, node.url === 'http://slow' ? 200 : 10);
  }
  assert.ok(counts['http://quick'] > 5 * counts['http://slow'], JSON.stringify(counts));
  assert.ok(counts['http://slow'] > 10, 'it is not forgotten');
});

test('the end of the process asks everybody again but those that named a moment', () => {
  const { clock, nodes } = bench(['http://a', 'http://b'], () => 1);
  nodes.failed(nodes.pick(), clock.now, undefined, false);
  nodes.failed(nodes.pick(), clock.now, 5_000, false);
  assert.ok(nodes.waitMs() > 0);
  nodes.tryAgain();
  assert.equal(nodes.waitMs(), 0);
  assert.ok(nodes.pick());
  assert.equal(nodes.pick(), undefined);
});

test('learnt nodes come and go, given ones stay', () => {
  const { nodes } = bench(['http://a']);
  nodes.learn(['http://b', 'http://c']);
  assert.deepEqual(nodes.urls, ['http://a', 'http://b', 'http://c']);
  nodes.learn(['http://c']);
  assert.deepEqual(nodes.urls, ['http://a', 'http://c']);
});
