// winston through Splunk's own logger, an event a request. To end the logger would cut off what waits for its turn.
import { once } from 'node:events';
import { read } from './records.mjs';
import { logger, transport } from './setup.mjs';

let waiting = 0;
transport.on('logged', () => {
  waiting -= 1;
});
// winston knows no level above error.
for await (const { fields, level, message, error } of read()) {
  waiting += 1;
  logger.log({ level: level === 'fatal' ? 'error' : level, message, ...fields, ...(error && { stack: error.stack }) });
}
while (waiting > 0) await once(transport, 'logged');
process.exit(0);
