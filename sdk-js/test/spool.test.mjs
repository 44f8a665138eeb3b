// The spool on disk: what a crash leaves, who takes it over, how large it gets.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InsightHub } from 'insighthub';
import { runApp, startApp } from './support/app.mjs';
import { directory, freePort, sleep, until } from './support/server.mjs';
import { range, startMock } from './support/mock.mjs';
import { books } from './support/writer.mjs';

const down = async () => `http://127.0.0.1:${await freePort()}`;

/** A spool that a process left with 100 records in it. */
async function left(everyRecord = '1') {
  const spool = join(directory(), 'spool');
  const end = await runApp('client', 'SIGKILL-now', { INSIGHTHUB_TOKEN: 'ihs_1_secret', NODES: await down(), SERVICE: 'left', SPOOL: spool, EVERY_RECORD: everyRecord });
  assert.equal(end.signal, 'SIGKILL', end.output);
  return spool;
}

const files = (spool) => readdirSync(spool).flatMap((name) => readdirSync(join(spool, name)).map((file) => join(spool, name, file))).sort();

function heir(t, nodes, spool, options = {}) {
  const errors = [];
  const log = new InsightHub({ nodes, service: 'heir', spool, lifecycle: false, batchAgeMs: 10, onError: (error) => errors.push(error.message), ...options });
  t.after(() => log.close(0));
  return { log, errors };
}

test('what is kept is delivered once, though two processes find it at once', async (t) => {
  const spool = await left();
  const mock = await startMock();
  t.after(() => mock.close());
  const env = { NODES: mock.url, SERVICE: 'heir', SPOOL: spool, IDLE_MS: '300' };
  const ends = await Promise.all(range(4).map(() => runApp('client', 'idle', env)));
  for (const end of ends) assert.equal(end.code, 0, end.output);
  assert.deepEqual(mock.numbers(), range(100));
  assert.equal(mock.posts().length, 1, 'one of them has sent it');
  assert.deepEqual(readdirSync(spool), []);
});

test('the spool of a living process is left alone', async (t) => {
  const spool = join(directory(), 'spool');
  const mock = await startMock();
  t.after(() => mock.close());
  const owner = startApp('client', 'SIGKILL-soon', { NODES: await down(), SERVICE: 'owner', SPOOL: spool });
  // What was logged is written: the rest of the time until its end passes while it is stopped.
  await until('its spool is written', () => existsSync(spool) && files(spool).some((file) => statSync(file).size > 10_000));
  owner.child.kill('SIGSTOP');
  const { log } = heir(t, mock.url, spool);
  await sleep(300);
  assert.equal(mock.posts().length, 0);
  owner.child.kill('SIGCONT');
  await owner.ended;
  assert.ok(await log.close());
  const { log: next } = heir(t, mock.url, spool);
  assert.ok(await next.flush());
  assert.deepEqual(mock.numbers(), range(100));
});

test('a file whose end was cut off or damaged gives what is whole, and says so', async (t) => {
  const spool = await left();
  const mock = await startMock();
  t.after(() => mock.close());
  const [file] = files(spool);
  const bytes = readFileSync(file);
  // Within one of the last frames: some records are whole before it.
  const damaged = Buffer.from(bytes);
  damaged[bytes.length - 200] ^= 0xff;
  writeFileSync(file, damaged);
  appendFileSync(file, Buffer.from('IH garbage that looks like a frame'));
  const { log, errors } = heir(t, mock.url, spool);
  assert.ok(await log.flush());
  const numbers = mock.numbers();
  assert.ok(numbers.length >= 90 && numbers.length < 100, `${numbers.length}`);
  assert.deepEqual(numbers, range(numbers.length));
  assert.match(errors.join(), /cut off or damaged/);
});

test('every cut of a file gives a prefix of its records', async (t) => {
  const bytes = readFileSync(files(await left())[0]);
  const mock = await startMock();
  t.after(() => mock.close());
  let found = -1;
  for (const share of range(8).map((part) => part / 8)) {
    const spool = join(directory(), 'spool');
    const name = 'js-00000000-0000-0000-0000-000000000000.nobody.1.1';
    const { mkdirSync, utimesSync } = await import('node:fs');
    mkdirSync(join(spool, name), { recursive: true });
    writeFileSync(join(spool, name, '00000001.seg'), bytes.subarray(0, Math.floor(bytes.length * share)));
    utimesSync(join(spool, name), 0, 0);
    mock.stored = [];
    mock.identities.clear();
    const { log } = heir(t, mock.url, spool);
    assert.ok(await log.close());
    const numbers = mock.numbers();
    assert.deepEqual(numbers, range(numbers.length));
    assert.ok(numbers.length > found || share === 0, `${numbers.length} at ${share}`);
    found = numbers.length;
  }
});

test('a retry keeps its identity over a kill: what the server has is not stored again', async (t) => {
  const spool = join(directory(), 'spool');
  // Stores everything and never says so.
  const mock = await startMock((seen, _, mock) => {
    if (mock.isHonest) return undefined;
    mock.identities.add(`${seen.producer} ${seen.sequence}`);
    mock.stored.push(...seen.records);
    return 'hang';
  });
  t.after(() => mock.close());
  const app = startApp('client', 'idle-after-logs', { NODES: mock.url, SERVICE: 'a', SPOOL: spool }, new URL('./apps/sent.mjs', import.meta.url).pathname);
  await until('the batch has come', () => mock.posts().length > 0);
  app.child.kill('SIGKILL');
  await app.ended;
  mock.isHonest = true;
  const { log } = heir(t, mock.url, spool);
  assert.ok(await log.flush());
  assert.deepEqual(mock.numbers(), range(100));
  assert.equal(log.stats().duplicate_batches, 1);
});

test('what was acknowledged does not come back', async (t) => {
  const spool = join(directory(), 'spool');
  const mock = await startMock();
  t.after(() => mock.close());
  const { log } = heir(t, mock.url, spool);
  for (const n of range(3_000)) log.info('x', { n });
  await until('all is stored', () => log.stats().stored === 3_000);
  await sleep(100);
  // As a kill would leave it: the directory of a process that is gone.
  const { cpSync, utimesSync } = await import('node:fs');
  const [name] = readdirSync(spool);
  const copy = join(directory(), 'spool');
  cpSync(join(spool, name), join(copy, name.replace(/\.[^.]+\.\d+\.\d+$/, '.nobody.1.1')), { recursive: true });
  utimesSync(join(copy, readdirSync(copy)[0]), 0, 0);
  const { log: next } = heir(t, mock.url, copy);
  assert.ok(await next.flush());
  assert.equal(next.stats().adopted, 0);
});

test('the disk is bounded: the oldest file goes, counted and told', async (t) => {
  const spool = join(directory(), 'spool');
  let isOpen = false;
  const mock = await startMock(() => (isOpen ? undefined : { status: 503 }));
  t.after(() => mock.close());
  const bytesMax = 1 << 20;
  const { log } = heir(t, mock.url, { directory: spool, bytesMax }, { queueBytesMax: 256 << 10, batchAgeMs: 5 });
  const padding = 'x'.repeat(500);
  for (const n of range(6_000)) {
    log.info('x', { n, padding });
    // The disk keeps up: what is met here is its bound, not that of the memory.
    if (n % 50 === 0) await until('it is written', async () => (await sleep(2)) ?? log.queueBytes < 160 << 10);
  }
  // One that goes between being listed and being looked at takes no room.
  const sizeOf = (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const bytes = files(spool).reduce((sum, file) => sum + sizeOf(file), 0);
  assert.ok(bytes <= bytesMax, `${bytes} bytes on disk`);
  const { dropped_by: by } = log.stats();
  assert.ok(by.spool_full > 2_000 && by.queue_full === 0, JSON.stringify(by));
  assert.ok(log.queueBytes <= 256 << 10);
  isOpen = true;
  assert.ok(await log.flush(20_000));
  const { given, accounted } = books(log.stats());
  assert.equal(given, accounted);
  const numbers = mock.numbers();
  assert.equal(new Set(numbers).size, numbers.length);
  assert.equal(numbers.length + by.spool_full, 6_000);
  assert.equal(numbers.at(-1), 5_999);
});

for (const whenFull of ['drop-oldest', 'drop-newest', 'block']) {
  test(`${whenFull} with a spool: an outage far beyond the memory loses nothing`, async (t) => {
    let isOpen = false;
    const mock = await startMock(() => (isOpen ? undefined : { status: 503 }));
    t.after(() => mock.close());
    const { log } = heir(t, mock.url, join(directory(), 'spool'), { queueBytesMax: 256 << 10, batchAgeMs: 5, whenFull });
    const padding = 'x'.repeat(500);
    for (const n of range(3_000)) {
      await log.info('x', { n, padding });
      if (n % 50 === 0) await until('it is written', async () => (await sleep(2)) ?? log.queueBytes < 160 << 10);
    }
    assert.deepEqual([log.stats().dropped, log.stats().waiting], [0, 3_000]);
    isOpen = true;
    assert.ok(await log.flush(20_000));
    assert.deepEqual(mock.numbers(), range(3_000));
    assert.ok(log.queueBytes <= 256 << 10);
  });
}

test('413 with a spool: halves replace the batch, in memory and for the next process', async (t) => {
  const spool = join(directory(), 'spool');
  const mock = await startMock((seen) => (seen.records.length > 30 ? { status: 413 } : undefined));
  t.after(() => mock.close());
  const { log } = heir(t, mock.url, spool);
  for (const n of range(100)) log.info('x', { n });
  assert.ok(await log.close());
  assert.deepEqual(mock.numbers(), range(100));
  assert.deepEqual(readdirSync(spool), []);
});

test('a disk that refuses costs the spool, not the records', async (t) => {
  const mock = await startMock();
  t.after(() => mock.close());
  const spool = join(directory(), 'spool');
  const { log, errors } = heir(t, mock.url, spool);
  const { rmSync } = await import('node:fs');
  // Root may write anywhere; a file in the place of the directory stops even root.
  rmSync(spool, { recursive: true });
  writeFileSync(spool, 'not a directory');
  for (const n of range(100)) log.info('x', { n });
  assert.ok(await log.flush());
  assert.deepEqual(mock.numbers(), range(100));
  assert.match(errors.join(), /spool/);
});

test('no secret is in the spool, and nobody else may read it', async () => {
  const spool = await left();
  for (const file of files(spool)) {
    assert.equal(statSync(file).mode & 0o077, 0, file);
    assert.ok(!readFileSync(file).includes('ihs_'), file);
  }
});
