// Three real nodes, killed and started again in turn, then all of them at once. CLUSTER_SECONDS=300 OUTAGE_SECONDS=120
// for the long form.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { directory, records, sleep, startCluster, tally } from './support/server.mjs';
import { books, startWriter } from './support/writer.mjs';

const SECONDS = Number(process.env.CLUSTER_SECONDS ?? 8);
const OUTAGE_SECONDS = Number(process.env.OUTAGE_SECONDS ?? 4);
let nodes;

before(async () => { nodes = await startCluster(); });
after(() => Promise.all(nodes.map((node) => node.kill())));

test('nodes are killed in turn: every record is found exactly once, and the application notices nothing', async (t) => {
  const spool = join(directory(), 'spool');
  // Each knows one node at first.
  const writers = [
    { service: 'in-memory', writer: startWriter(t, { NODES: nodes[0].url, SERVICE: 'in-memory' }) },
    { service: 'with-spool', writer: startWriter(t, { NODES: nodes[0].url, SERVICE: 'with-spool', SPOOL: spool }) },
  ];
  await sleep(2_000);
  const end = Date.now() + SECONDS * 1_000;
  let kills = 0;
  for (; Date.now() < end; kills++) {
    const node = nodes[kills % nodes.length];
    await node.kill(kills % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    await sleep(1_500);
    node.launch();
    await node.ready();
    await sleep(1_000);
  }
  for (const { service, writer } of writers) {
    const said = await writer.ask('stop');
    const { stats } = said;
    const found = tally(await records(nodes[1].url, service));
    console.log(JSON.stringify({ service, kills, found, ...said, memoryMiB: Math.round(said.memoryMax / 2 ** 20) }));
    assert.deepEqual(found, { distinct: said.n, twice: 0 });
    assert.deepEqual({ stored: stats.stored, waiting: stats.waiting, dropped: stats.dropped }, { stored: said.n, waiting: 0, dropped: 0 });
    assert.equal(said.troubles.uncaught + said.troubles.rejections + said.troubles.deadLetters, 0);
    assert.equal(new Set(said.nodes).size, nodes.length, 'it has learnt the other nodes');
    writer.child.kill();
  }
});

test('the whole cluster is down: memory is bounded, the spool is replayed by another process, the books close', async (t) => {
  const spool = join(directory(), 'spool');
  // Room for a disk that stalls beside other work.
  const OPTIONS = JSON.stringify({ queueBytesMax: 4 << 20, spool: { directory: spool, bytesMax: 256 << 20 } });
  const bounded = JSON.stringify({ queueBytesMax: 1 << 20 });
  const env = { NODES: nodes.map((node) => node.url).join(','), RATE: '2000', BYTES: '300' };
  const kept = startWriter(t, { ...env, SERVICE: 'outage-spool', OPTIONS });
  const lossy = startWriter(t, { ...env, SERVICE: 'outage-memory', OPTIONS: bounded });
  await sleep(1_000);
  await Promise.all(nodes.map((node) => node.kill()));
  await sleep(OUTAGE_SECONDS * 1_000);
  const atOutage = await kept.ask('stats');
  // The process with the spool dies before the cluster is back.
  const last = await kept.ask('stats');
  kept.child.kill('SIGKILL');
  nodes.forEach((node) => node.launch());
  await Promise.all(nodes.map((node) => node.ready()));
  const heir = startWriter(t, { NODES: nodes[0].url, SERVICE: 'outage-heir', RATE: '1', OPTIONS });
  const inherited = await heir.ask('stop');
  const found = await records(nodes[0].url, 'outage-spool');
  const counted = tally(found);
  console.log(JSON.stringify({ atOutage, inherited, counted }));
  assert.ok(last.queueMax <= 4 << 20, `${last.queueMax} bytes in memory`);
  assert.ok(last.stats.on_disk > 0 && last.stats.dropped === 0);
  assert.equal(counted.twice, 0);
  // Of what was logged right before the kill some may not be written yet; what it said to be on disk is there.
  const { stored: storedBefore, on_disk: onDisk } = last.stats;
  assert.ok(counted.distinct >= storedBefore + onDisk, `${counted.distinct} of at least ${storedBefore + onDisk}`);
  const numbers = new Set(found.map((record) => record.n));
  for (let n = 0; n < counted.distinct; n++) assert.ok(numbers.has(n), `record ${n} is missing`);
  assert.deepEqual(books(inherited.stats).given, books(inherited.stats).accounted);
  assert.equal(inherited.stats.waiting, 0);
  heir.child.kill();

  const said = await lossy.ask('stop');
  const stored = await records(nodes[0].url, 'outage-memory');
  const reports = stored.filter((record) => record.sdk_report === 'dropped');
  console.log(JSON.stringify({ said, found: tally(stored), reported: reports.map((record) => record.dropped) }));
  assert.equal(tally(stored).twice, 0);
  assert.ok(said.queueMax <= 1 << 20, `${said.queueMax} bytes in memory`);
  assert.deepEqual(books(said.stats).given, books(said.stats).accounted);
  assert.equal(said.stats.emitted, said.n + said.stats.reports);
  assert.equal(stored.length, said.stats.stored);
  assert.equal(reports.reduce((sum, record) => sum + record.dropped, 0), said.stats.dropped, 'what was lost is told');
  assert.ok(said.p99Ms < 1, `log took ${said.p99Ms} ms`);
  lossy.child.kill();
  assert.deepEqual(existsSync(spool) ? readdirSync(spool).filter((name) => !name.includes(`.${heir.child.pid}.`)) : [], []);
});
