// One logger under load: as fast as it goes, or at a steady rate. Says what it cost this process, threads included.
import { setTimeout as sleep } from 'node:timers/promises';

const [name, mode, count, url] = process.argv.slice(2);
const total = Number(count);
const RATE = 5_000;
const options = { nodes: url, service: 'checkout', batchAgeMs: 1_000, queueBytesMax: 64 << 20, whenFull: 'block' };
const { log, end } = await subject();

async function subject() {
  // What the loop itself costs.
  if (name === 'nothing') return { log: () => undefined, end: () => Promise.resolve() };
  if (name.startsWith('pino')) {
    const { default: pino } = await import('pino');
    let stream;
    if (name === 'pino + pino-loki') {
      // Its buffer large enough to drop nothing, and an interval like ours.
      const batching = { interval: 1, maxBufferSize: 1_000_000 };
      stream = pino.transport({ target: 'pino-loki', options: { host: url, labels: { service: 'checkout' }, batching } });
    } else if (name === 'pino + insighthub') {
      stream = (await import('insighthub/pino')).transport(pino, { ...options, whenFull: 'drop-oldest' });
    }
    const logger = pino({}, stream);
    const close = () => new Promise((resolve) => {
      stream.once('close', resolve);
      stream.end();
    });
    return { log: (n) => logger.info({ orderId: n, latency_ms: 12.5, user: 'u-1932', region: 'eu' }, 'order was paid'), end: close };
  }
  if (name.startsWith('winston')) {
    const { default: winston } = await import('winston');
    const { InsightHubTransport } = await import('insighthub/winston');
    const transport = new InsightHubTransport(options);
    const logger = winston.createLogger({ transports: [transport] });
    return { log: (n) => logger.info('order was paid', { orderId: n, latency_ms: 12.5, user: 'u-1932', region: 'eu' }), end: () => transport.client.close(60_000) };
  }
  const { InsightHub } = await import('insighthub');
  const spool = name.includes('spool') ? { spool: { directory: process.env.SPOOL, bytesMax: 1 << 30 } } : {};
  const client = new InsightHub({ ...options, ...spool });
  return { log: (n) => client.info('order was paid', { orderId: n, latency_ms: 12.5, user: 'u-1932', region: 'eu' }), end: () => client.close(60_000) };
}

async function arrived(records) {
  for (;;) {
    const seen = await fetch(`${url}/count`).then((reply) => reply.json());
    if (seen.records >= records) return seen;
    if (Date.now() > deadline) return seen;
    await sleep(20);
  }
}

const times = new Float64Array(total);
// The first ones pay for what is compiled.
for (let n = 0; n < 2_000; n++) await log(n);
await sleep(2_500);
await fetch(`${url}/reset`);
const cpu = process.cpuUsage();
const started = performance.now();
const deadline = Date.now() + 120_000;
let memory = 0;
for (let n = 0; n < total; ) {
  const due = mode === 'fast' ? n + 1_000 : Math.floor(((performance.now() - started) / 1_000) * RATE);
  for (; n < Math.min(due, total); n++) {
    const before = performance.now();
    const room = log(n);
    times[n] = performance.now() - before;
    if (room !== undefined && typeof room.then === 'function') await room;
  }
  memory = Math.max(memory, process.memoryUsage.rss());
  await (mode === 'fast' ? new Promise(setImmediate) : sleep(5));
}
const seen = await arrived(name === 'nothing' ? 0 : total);
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(cpu);
await Promise.race([end(), sleep(15_000)]);
times.sort();
const us = (share) => Math.round(times[Math.min(total - 1, Math.floor(total * share))] * 1e4) / 10;
process.send({
  records: seen.records, recordsPerSecond: Math.round(seen.records / seconds), cpuUs: Math.round(((user + system) / total) * 100) / 100,
  p50: us(0.5), p99: us(0.99), p999: us(0.999), mib: Math.round(memory / 2 ** 20), wireMiB: Math.round(seen.bytes / 2 ** 20 * 10) / 10, requests: seen.requests,
});
process.exit(0);
