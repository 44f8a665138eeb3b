// 100 records, then the end of the process: 100 of 100 are found, none twice. REPEATS=20 for the full table.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runApp } from './support/app.mjs';
import { directory, records, startNode, tally } from './support/server.mjs';

const REPEATS = Number(process.env.REPEATS ?? 2);
let node;
let runs = 0;

before(async () => { node = await startNode(); });
after(() => node.kill());

/** What a process that nobody delivers for would say of its end. */
const ENDINGS = [
  ['client', 'return', 0, null],
  ['client', 'exit', 0, null],
  ['client', 'late-exit', 0, null],
  ['client', 'exit-handler', 0, null],
  ['client', 'uncaught', 1, null],
  ['client', 'rejection', 1, null],
  ['client', 'SIGTERM', null, 'SIGTERM'],
  ['client', 'SIGINT', null, 'SIGINT'],
  ['client', 'SIGHUP', null, 'SIGHUP'],
  ['client', 'handled-SIGTERM', 7, null],
  ['client', 'cluster', 0, null],
  ['pino', 'return', 0, null],
  ['pino', 'exit', 0, null],
  ['pino', 'uncaught', 1, null],
  ['pino', 'rejection', 1, null],
  ['pino', 'SIGTERM', null, 'SIGTERM'],
  ['pino', 'SIGINT', null, 'SIGINT'],
  ['winston', 'return', 0, null],
  ['winston', 'exit', 0, null],
  ['winston', 'uncaught', 1, null],
  ['winston', 'rejection', 1, null],
  ['winston', 'SIGTERM', null, 'SIGTERM'],
  ['winston', 'SIGINT', null, 'SIGINT'],
];

for (const [library, ending, code, signal] of ENDINGS) {
  test(`${library}: 100 records survive ${ending}`, async () => {
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const service = `${library}-${ending}-${++runs}`;
      const end = await runApp(library, ending, { NODES: node.url, SERVICE: service });
      assert.deepEqual([end.code, end.signal], [code, signal], end.output);
      assert.deepEqual(tally(await records(node.url, service)), { distinct: 100, twice: 0 }, end.output);
    }
  });
}

for (const [library, ending, everyRecord] of [
  ['client', 'SIGKILL-soon', '0'],
  ['client', 'SIGKILL-now', '1'],
  ['pino', 'SIGKILL-soon', '0'],
  ['winston', 'SIGKILL-soon', '0'],
]) {
  test(`${library}: another process delivers what ${ending} left in the spool`, async () => {
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const service = `${library}-${ending}-${++runs}`;
      const spool = join(directory(), 'spool');
      const env = { NODES: node.url, SERVICE: service, SPOOL: spool, EVERY_RECORD: everyRecord };
      const end = await runApp(library, ending, env);
      assert.equal(end.signal, 'SIGKILL', end.output);
      assert.equal(readdirSync(spool).length, 1);
      const next = await runApp('client', 'idle', { ...env, IDLE_MS: '1' });
      assert.equal(next.code, 0, next.output);
      assert.deepEqual(tally(await records(node.url, service)), { distinct: 100, twice: 0 }, next.output);
      assert.deepEqual(existsSync(spool) ? readdirSync(spool) : [], [], 'an empty spool leaves nothing behind');
    }
  });
}
