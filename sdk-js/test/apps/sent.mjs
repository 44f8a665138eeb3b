// Logs 100 records, sends them at once, and waits for an answer.
import { InsightHub } from 'insighthub';

const log = new InsightHub({ nodes: process.env.NODES, service: process.env.SERVICE, spool: process.env.SPOOL });
for (let n = 0; n < 100; n++) log.info(`record ${n}`, { n });
log.flush(60_000);
