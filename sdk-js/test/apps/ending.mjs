// An application that logs 100 records and ends, and says its counts last.
import { createRequire } from 'node:module';
import { InsightHub } from 'insighthub';

const [library, ending] = process.argv.slice(2);
const { NODES: nodes, SPOOL: spool, EXIT_MS = '5000' } = process.env;
const options = { nodes, service: 'ending', exitTimeoutMs: Number(EXIT_MS), ...(spool ? { spool } : {}) };
const clients = [new InsightHub(options)];
if (library === 'several') {
  const { InsightHub: Other } = createRequire(import.meta.url)('insighthub');
  clients.push(new Other(options), new InsightHub(options));
}
process.on('exit', () => process._rawDebug(`stats ${JSON.stringify(clients[0].stats())}`));
if (ending !== 'idle') for (let n = 0; n < 100; n++) clients[n % clients.length].info(`record ${n}`, { n });

if (ending === 'exit') process.exit(0);
if (ending === 'uncaught') throw new Error('nobody catches this');
if (ending === 'SIGTERM' || ending === 'two-signals') {
  setInterval(() => undefined, 1_000);
  process.kill(process.pid, 'SIGTERM');
}
if (ending === 'two-signals') setTimeout(() => process.kill(process.pid, 'SIGTERM'), 200);
