// pino, through whichever transport the setup names: it runs in a thread of its own, which the end of the process waits
// for, ten seconds at most. A program that goes on for a while does not depend on that.
import { setTimeout } from 'node:timers/promises';

import { read } from './records.mjs';
import { logger } from './setup.mjs';

for await (const record of read()) {
  const fields = record.error ? { ...record.fields, err: record.error } : record.fields;
  logger[record.level](fields, record.message);
}
await setTimeout(5_000);
