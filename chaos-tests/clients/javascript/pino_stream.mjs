// pino, through a stream of this thread that says when all of it is stored.
import { once } from 'node:events';

import { read } from './records.mjs';
import { logger, stream } from './setup.mjs';

stream.on('insertError', (error) => console.error('refused', error));
for await (const record of read()) {
  const fields = record.error ? { ...record.fields, err: record.error } : record.fields;
  logger[record.level](fields, record.message);
}
const inserted = once(stream, 'insert');
stream.end();
console.log(await inserted);
process.exit(0);
