// What becomes of what the application hands over: anything is a record, nothing throws, secrets stay secret.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { InsightHub, VERSION } from 'insighthub';
import { directory } from './support/server.mjs';
import { startMock } from './support/mock.mjs';

async function recordsOf(t, write, options = {}) {
  const mock = await startMock();
  const log = new InsightHub({ nodes: mock.url, service: 'test', lifecycle: false, ...options });
  t.after(() => mock.close());
  write(log);
  assert.ok(await log.close());
  return mock.stored.map((line) => JSON.parse(line));
}

test('levels, children, errors and own members', async (t) => {
  const records = await recordsOf(t, (log) => {
    log.debug('not taken');
    log.log(40, 'by number');
    log.log('critical?', 'unknown');
    log.child({ requestId: 'r1' }).child({ user: 7 }).warn('child', { user: 8 });
    log.error(new TypeError('wrong'), { n: 1 });
    log.error('with one', new Error('inner', { cause: new Error('root') }));
    log.info('service of its own', { service: 'other', timestamp: new Date(0), level: 'mine', message: 'mine too' });
  }, { level: 'info', metadata: { team: 'a' }, env: 'prod', region: 'eu' });
  assert.deepEqual(records.map(({ level, message }) => [level, message]), [
    ['WARN', 'by number'], ['INFO', 'unknown'], ['WARN', 'child'], ['ERROR', 'wrong'], ['ERROR', 'with one'], ['INFO', 'service of its own'],
  ]);
  const [, , child, wrong, withOne, own] = records;
  assert.deepEqual([child.requestId, child.user, child.team, child.env, child.region], ['r1', 8, 'a', 'prod', 'eu']);
  assert.deepEqual([wrong.error.name, wrong.n], ['TypeError', 1]);
  assert.equal(withOne.error.cause.message, 'root');
  assert.deepEqual([own.service, own.timestamp, own['field.level'], own['field.message']], ['other', '1970-01-01T00:00:00.000Z', 'mine', 'mine too']);
});

test('nothing an application hands over throws', async (t) => {
  const cycle = {};
  cycle.self = cycle;
  const deep = {};
  for (let at = deep, level = 0; level < 100; level++) at = at.in = {};
  const odd = [
    undefined, null, 0, NaN, 10n, Symbol('s'), () => 1, cycle, deep, new Proxy({}, { ownKeys() { throw new Error('no keys'); } }),
    { get broken() { throw new Error('getter'); }, fine: 1 }, { toJSON() { throw new Error('toJSON'); } }, new Map([[1, 2]]), new Set([1]),
    Object.create(null), new Date(NaN), new Uint8Array(3), { nested: { big: 1n, bad: Infinity } }, 'half \ud83d of a pair', 'C:\\ud83d',
    Array.from({ length: 2_000 }, (_, n) => n), new Proxy(new Error('x'), { get() { throw new Error('no'); } }),
  ];
  const records = await recordsOf(t, (log) => {
    for (const value of odd) {
      log.info(value);
      log.info('as a field', { value });
      log.info('as fields', value);
    }
  });
  assert.equal(records.length, odd.length * 3);
  assert.deepEqual(records.find((record) => record.fine === 1)?.broken, '[unreadable: getter]');
  assert.ok(records.some((record) => record.value?.self === '[circular]'));
  const messages = records.map((record) => record.message);
  assert.ok(messages.includes('half \ufffd of a pair') && messages.includes('C:\\ud83d'));
});

test('__proto__ and its like are members and nothing else', async (t) => {
  const payload = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "a": {"__proto__": {"polluted": 1}}}');
  const records = await recordsOf(t, (log) => {
    log.info('x', payload);
    log.child(payload).info('y', { service: 's' });
  }, { metadata: JSON.parse('{"__proto__": {"polluted": 1}}') });
  assert.equal({}.polluted, undefined);
  assert.equal(Object.prototype.polluted, undefined);
  for (const record of records) {
    assert.ok(Object.hasOwn(record, '__proto__'), 'it is kept as what it is');
    assert.equal(Object.getPrototypeOf(record), Object.prototype);
  }
});

test('a record above the server\'s limit is cut, not lost', async (t) => {
  const records = await recordsOf(t, (log) => {
    log.info('x'.repeat(3 << 20));
    log.info('large field', { text: '\u20ac'.repeat(400_000) });
  });
  assert.deepEqual(records.map((record) => [record.message.length, record.truncated_chars > 400_000]), [[65_536, true], [11, true]]);
});

test('the token is in nothing that prints a client, nor in errors', async (t) => {
  const token = 'ihs_0123_verysecret';
  const errors = [];
  const log = new InsightHub({ nodes: 'http://127.0.0.1:9', service: 'test', token, lifecycle: false, onError: (error) => errors.push(error) });
  log.info('x', { log });
  await log.flush(200);
  t.after(() => log.close(0));
  assert.ok(errors.length > 0);
  for (const text of [inspect(log, { depth: 9, showHidden: true }), JSON.stringify(log), String(log), ...errors.map((error) => inspect(error))]) {
    assert.ok(!text.includes('verysecret'), text);
  }
  assert.throws(() => new InsightHub({ nodes: 'http://a', service: 's', token: 'ihs_very secret' }), (error) => !error.message.includes('secret'));
  assert.throws(() => new InsightHub({ nodes: 'http://u:verysecret@a', service: 's' }), (error) => !error.message.includes('verysecret'));
});

test('TLS is verified: by the given certificates, and never without', async (t) => {
  const home = directory();
  const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert,
    '-days', '2', '-subj', '/CN=node', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
  const mock = await startMock(undefined, { key: readFileSync(key), cert: readFileSync(cert) });
  t.after(() => mock.close());
  const errors = [];
  const untrusting = new InsightHub({ nodes: mock.url, service: 'test', lifecycle: false, onError: (error) => errors.push(error.message) });
  untrusting.info('x');
  assert.equal(await untrusting.close(500), false);
  assert.equal(mock.requests.length, 0);
  assert.match(errors[0], /self-signed|certificate/);
  const trusting = new InsightHub({ nodes: mock.url, service: 'test', ca: readFileSync(cert), lifecycle: false });
  trusting.info('x');
  assert.ok(await trusting.close());
  assert.equal(mock.stored.length, 1);
});

test('wrong options are named, with an example', () => {
  const good = { nodes: 'http://localhost:8000', service: 'a' };
  for (const [options, words] of [
    [{ ...good, nodes: undefined }, /nodes.*http:\/\/localhost:8000/],
    [{ ...good, nodes: 'localhost:8000' }, /http:\/\//],
    [{ ...good, service: '' }, /service/],
    [{ ...good, whenFull: 'explode' }, /whenFull.*drop-oldest/],
    [{ ...good, batchRecords: 0 }, /batchRecords.*1 to/],
    [{ ...good, spool: { directory: '/tmp/x', bytesMax: 1 } }, /spool\.bytesMax/],
  ]) assert.throws(() => new InsightHub(options), words);
});

test('the version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('insighthub/package.json')));
  assert.equal(VERSION, version);
});
