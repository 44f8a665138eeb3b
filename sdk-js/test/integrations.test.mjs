// Loggers and frameworks, the real ones: what becomes of their records.
import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import express from 'express';
import fastify from 'fastify';
import pino from 'pino';
import winston from 'winston';
import { InsightHub } from 'insighthub';
import { patchConsole } from 'insighthub/console';
import { requestLog } from 'insighthub/express';
import fastifyLog from 'insighthub/fastify';
import { transport } from 'insighthub/pino';
import { InsightHubTransport } from 'insighthub/winston';
import { startNode, records, until } from './support/server.mjs';
import { startMock } from './support/mock.mjs';

async function started(t) {
  const mock = await startMock();
  const log = new InsightHub({ nodes: mock.url, service: 'test', lifecycle: false });
  t.after(async () => {
    await log.close(0);
    await mock.close();
  });
  const all = async (count) => {
    await until(`${count} records`, async () => (await log.flush()) && log.stats().emitted >= count);
    return mock.stored.map((line) => JSON.parse(line));
  };
  return { mock, log, all };
}

test('pino on its worker thread: levels, children, errors, odd lines, as a real node stores them', async (t) => {
  const node = await startNode();
  t.after(() => node.kill());
  const stream = transport(pino, { nodes: node.url, service: 'shop', env: 'test' });
  const logger = pino({ level: 'trace', customLevels: { notice: 35 } }, stream);
  logger.info('plain');
  logger.child({ requestId: 'r1' }).warn({ user: 7 }, 'child');
  logger.error(new Error('broken'));
  logger.fatal({ nested: { service: 'not mine', msg: 'nor this' } }, 'nested');
  logger.info({ only: 'fields' });
  logger.notice('of a level of its own');
  logger.info({ service: 'other', env: 'mine' }, 'overrides');
  logger.trace('quote " and {brace} and \n break \u{1f600}');
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.end();
  await closed;
  const stored = [...(await records(node.url, 'shop')), ...(await records(node.url, 'other'))];
  const of = (message) => stored.find((record) => record.message === message);
  assert.equal(stored.length, 8);
  assert.deepEqual([of('plain').level, of('plain').env, of('plain').service], ['INFO', 'test', 'shop']);
  assert.ok(Math.abs(new Date(of('plain').timestamp) - Date.now()) < 60_000);
  assert.deepEqual([of('child').requestId, of('child').user, of('child').level], ['r1', 7, 'WARN']);
  assert.match(of('broken')['err.stack'], /broken/);
  assert.equal(of('nested')['nested.service'], 'not mine');
  assert.equal(of('').only, 'fields');
  assert.equal(of('of a level of its own').level, 'INFO');
  assert.equal(of('overrides').env, 'mine');
  assert.ok(of('quote " and {brace} and \n break \u{1f600}'));
});

test('winston: levels, formats, metadata, errors; silent and lower levels are left out', async (t) => {
  const { log, all } = await started(t);
  const { combine, timestamp, errors, colorize } = winston.format;
  const format = combine(errors({ stack: true }), timestamp(), colorize());
  const logger = winston.createLogger({ level: 'verbose', format, transports: [new InsightHubTransport({ client: log }), new InsightHubTransport({ client: log, silent: true })] });
  logger.info('hello', { order: 7 });
  logger.child({ requestId: 'r1' }).warn('child');
  logger.error(new Error('broken'));
  logger.silly('too low');
  logger.verbose('low');
  const found = await all(4);
  assert.deepEqual(found.map(({ level, message }) => [level, message]), [['INFO', 'hello'], ['WARN', 'child'], ['ERROR', 'broken'], ['DEBUG', 'low']]);
  assert.equal(found[0].order, 7);
  assert.equal(found[1].requestId, 'r1');
  assert.match(found[2].stack, /broken/);
});

test('winston: a transport of its own ends with its logger', async (t) => {
  const mock = await startMock();
  t.after(() => mock.close());
  const own = new InsightHubTransport({ nodes: mock.url, service: 'own', level: 'warn' });
  const logger = winston.createLogger({ level: 'silly', transports: [own] });
  logger.info('too low for it');
  logger.error('high enough');
  const finished = new Promise((resolve) => own.once('finish', resolve));
  logger.end();
  await finished;
  assert.deepEqual(mock.stored.map((line) => JSON.parse(line).message), ['high enough']);
});

test('console: written as before, logged as well, and no longer once it is undone', async (t) => {
  const { log, all } = await started(t);
  let written = '';
  const sink = new Writable({ write(chunk, _, done) { written += chunk; done(); } });
  const target = new Console(sink, sink);
  const undo = patchConsole(log, target);
  target.log('order %d of %s', 7, 'bob', { a: 1 });
  target.error(new Error('broken'));
  target.warn('careful');
  undo();
  target.log('not logged');
  const found = await all(3);
  assert.deepEqual(found.map(({ level }) => level), ['INFO', 'ERROR', 'WARN']);
  assert.equal(found[0].message, 'order 7 of bob { a: 1 }');
  assert.equal(found[1].error.message, 'broken');
  assert.match(written, /order 7 of bob[^]*broken[^]*careful[^]*not logged/);
});

async function asked(address, paths) {
  for (const path of paths) await fetch(`${address}${path}`, { headers: { 'x-request-id': 'r1' } }).then((reply) => reply.text());
}

test('Express: one record for each request, with its latency and route, without its query', async (t) => {
  const { log, all } = await started(t);
  const app = express();
  app.use(requestLog(log, { skip: ({ path }) => path === '/health', slowMs: 40 }));
  app.get('/orders/:id', (request, response) => setTimeout(() => response.json({}), 20));
  app.get('/slow', (request, response) => setTimeout(() => response.json({}), 60));
  app.get('/health', (request, response) => response.end());
  app.get('/broken', () => { throw new Error('broken'); });
  app.use((error, request, response, next) => { response.status(500).end(); next; });
  const server = app.listen(0);
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  await asked(`http://127.0.0.1:${server.address().port}`, ['/orders/7?token=secret', '/slow', '/health', '/broken', '/nowhere']);
  const found = await all(4);
  assert.deepEqual(found.map(({ level, message, status }) => [level, message, status]), [
    ['INFO', 'GET /orders/7 200', 200], ['WARN', 'GET /slow 200', 200], ['ERROR', 'GET /broken 500', 500], ['WARN', 'GET /nowhere 404', 404],
  ]);
  const [order] = found;
  assert.deepEqual([order.route, order.method, order.request_id], ['/orders/:id', 'GET', 'r1']);
  assert.ok(order.latency_ms >= 15 && order.latency_ms < 1_000, `${order.latency_ms}`);
  assert.ok(!JSON.stringify(found).includes('secret'));
});

test('Fastify: the same', async (t) => {
  const { log, all } = await started(t);
  const app = fastify();
  await app.register(fastifyLog, { logger: log });
  app.get('/orders/:id', async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return {};
  });
  app.get('/broken', async () => { throw new Error('broken'); });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => app.close());
  await asked(address, ['/orders/7?token=secret', '/broken', '/nowhere']);
  const found = await all(3);
  assert.deepEqual(found.map(({ level, message }) => [level, message]), [
    ['INFO', 'GET /orders/7 200'], ['ERROR', 'GET /broken 500'], ['WARN', 'GET /nowhere 404'],
  ]);
  assert.equal(found[0].route, '/orders/:id');
  assert.ok(found[0].latency_ms >= 15, `${found[0].latency_ms}`);
});

test('CommonJS has the same', () => {
  const require = createRequire(import.meta.url);
  assert.equal(typeof require('insighthub').InsightHub, 'function');
  assert.equal(typeof require('insighthub/pino').default, 'function');
  for (const [path, name] of [['winston', 'InsightHubTransport'], ['console', 'patchConsole'], ['express', 'requestLog'], ['fastify', 'requestLog']]) {
    assert.equal(typeof require(`insighthub/${path}`)[name], 'function', path);
  }
});
