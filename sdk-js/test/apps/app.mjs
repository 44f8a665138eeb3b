// An application: logs 100 records through one of the loggers, then ends in the way it is told.
import cluster from 'node:cluster';

const [library, ending] = process.argv.slice(2);
const { NODES: nodes, SERVICE: service, SPOOL: spool } = process.env;
const options = { nodes, service, exitTimeoutMs: 8_000 };
if (spool) options.spool = { directory: spool, everyRecord: process.env.EVERY_RECORD === '1' };

const log = await loggerOf(library);
if (ending === 'cluster') await asCluster();
else end(ending);

async function loggerOf(name) {
  if (name === 'pino') {
    const { default: pino } = await import('pino');
    const { transport } = await import('insighthub/pino');
    const logger = pino({ level: 'trace' }, transport(pino, options));
    return (n) => logger.info({ n }, `record ${n}`);
  }
  if (name === 'winston') {
    const { default: winston } = await import('winston');
    const { InsightHubTransport } = await import('insighthub/winston');
    const logger = winston.createLogger({ transports: [new InsightHubTransport(options)] });
    return (n) => logger.info(`record ${n}`, { n });
  }
  const { InsightHub } = await import('insighthub');
  const client = new InsightHub(options);
  if (name === 'console') {
    const { patchConsole } = await import('insighthub/console');
    patchConsole(client);
    return (n) => client.child({ n }).info(`record ${n}`);
  }
  return (n) => client.info(`record ${n}`, { n });
}

function logAll(from = 0, count = 100) {
  for (let n = from; n < from + count; n++) log(n);
}

function end(how) {
  // Something that would keep it running.
  const forever = () => setInterval(() => undefined, 1_000);
  switch (how) {
    case 'return':
      return logAll();
    case 'exit':
      logAll();
      return process.exit(0);
    case 'late-exit':
      // Some are under way by then.
      logAll(0, 50);
      return setTimeout(() => {
        logAll(50, 50);
        process.exit(0);
      }, 1_050);
    case 'exit-handler':
      process.on('exit', () => logAll(99, 1));
      logAll(0, 99);
      return process.exit(0);
    case 'uncaught':
      setTimeout(() => {
        logAll();
        throw new Error('nobody catches this');
      }, 10);
      return undefined;
    case 'rejection':
      logAll();
      return void Promise.reject(new Error('nobody handles this'));
    case 'SIGTERM':
    case 'SIGINT':
    case 'SIGHUP':
      forever();
      logAll();
      return process.kill(process.pid, how);
    case 'handled-SIGTERM':
      forever();
      process.on('SIGTERM', () => process.exit(7));
      logAll();
      return process.kill(process.pid, 'SIGTERM');
    case 'SIGKILL-now':
      logAll();
      return process.kill(process.pid, 'SIGKILL');
    case 'SIGKILL-soon':
      forever();
      logAll();
      // pino's thread must have started.
      return setTimeout(() => process.kill(process.pid, 'SIGKILL'), library === 'pino' ? 700 : 50);
    case 'idle':
      return setTimeout(() => undefined, Number(process.env.IDLE_MS ?? 1_000));
    default:
      throw new Error(`no ending: ${how}`);
  }
}

/** The primary and two workers log; then one worker disconnects and one is told to go by a signal. */
async function asCluster() {
  if (cluster.isWorker) {
    const id = cluster.worker.id;
    logAll(id * 33, id === 2 ? 34 : 33);
    process.send('logged');
    return;
  }
  logAll(0, 33);
  const workers = [cluster.fork(), cluster.fork()];
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const gone = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  workers[0].disconnect();
  workers[1].process.kill('SIGTERM');
  await gone;
}
