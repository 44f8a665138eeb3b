// An application that goes on logging, with a number in each record, until it is told to stop; then it says its counts.
import { InsightHub } from 'insighthub';

const { NODES: nodes, SERVICE: service, SPOOL: spool, RATE = '200', BYTES = '100', OPTIONS = '{}' } = process.env;
const troubles = { uncaught: 0, rejections: 0, deadLetters: 0, errors: 0 };
process.on('uncaughtException', (error) => { troubles.uncaught += 1; process.send({ trouble: String(error.stack) }); });
process.on('unhandledRejection', () => { troubles.rejections += 1; });

const log = new InsightHub({
  nodes,
  service,
  ...(spool ? { spool } : {}),
  onError: () => { troubles.errors += 1; },
  onDeadLetter: () => { troubles.deadLetters += 1; },
  ...JSON.parse(OPTIONS),
});
const padding = 'x'.repeat(Number(BYTES));
const perTurn = Math.max(1, Math.round(Number(RATE) / 100));
let n = 0;
let memoryMax = 0;
const times = [];
let queueMax = 0;
const started = Date.now();
const timer = setInterval(() => {
  // By the clock: a turn that comes late makes up for it.
  const due = Math.round(((Date.now() - started) / 1_000) * Number(RATE));
  for (let count = 0; n < due && count < perTurn * 100; count++) {
    const before = performance.now();
    log.info(`record ${n}`, { n, padding });
    times[n % 100_000] = performance.now() - before;
    n += 1;
  }
  memoryMax = Math.max(memoryMax, process.memoryUsage().rss);
  queueMax = Math.max(queueMax, log.queueBytes);
}, 10);

const share = (part) => [...times].sort((a, b) => a - b)[Math.floor(times.length * part)] ?? 0;
const say = () => ({ n, stats: log.stats(), troubles, memoryMax, queueMax, p99Ms: share(0.99), maxMs: share(1 - 1e-9), nodes: log.nodes });
process.on('message', async (message) => {
  if (message === 'stats') return process.send(say());
  if (message === 'stop') clearInterval(timer);
  await log.flush(Number(process.env.FLUSH_MS ?? 60_000));
  process.send(say());
});
