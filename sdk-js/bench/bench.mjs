// Records per second and their cost, against pino with pino-loki in the same run: `node bench/bench.mjs [rounds]`.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROUNDS = Number(process.argv[2] ?? 3);
const SUBJECTS = ['nothing', 'insighthub', 'insighthub, spool', 'pino + insighthub', 'winston + insighthub', 'pino + pino-loki'];
const MODES = [['fast', 200_000], ['steady', 40_000]];
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const said = (child) => new Promise((resolve, reject) => {
  child.once('message', resolve);
  child.once('exit', (code) => reject(new Error(`exit ${code}`)));
});

const sink = fork(path('sink.mjs'));
const { url } = await said(sink);
const results = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const [mode, count] of MODES) {
    for (const subject of SUBJECTS) {
      const spool = mkdtempSync(join(tmpdir(), 'insighthub-bench-'));
      const child = fork(path('subject.mjs'), [subject, mode, String(count), url], { env: { ...process.env, SPOOL: spool }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const result = await said(child).catch((error) => ({ failed: error.message }));
      rmSync(spool, { recursive: true, force: true });
      const key = `${mode} | ${subject}`;
      results.set(key, [...(results.get(key) ?? []), result]);
      console.log(round, key, JSON.stringify(result));
    }
  }
}
sink.kill();

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
console.log('\n| load | logger | records/s | CPU us a record | log p50 us | p99 us | p99.9 us | memory MiB | MiB sent | arrived |\n|---|---|---|---|---|---|---|---|---|---|');
for (const [key, all] of results) {
  const of = (name) => median(all.map((result) => result[name]));
  console.log(`| ${key} | ${of('recordsPerSecond')} | ${of('cpuUs')} | ${of('p50')} | ${of('p99')} | ${of('p999')} | ${of('mib')} | ${of('wireMiB')} | ${of('records')} |`);
}
