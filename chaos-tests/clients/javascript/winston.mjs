// winston, through the transport of the setup, which sends what waits before the process ends.
import { read } from './records.mjs';
import { logger, transport } from './setup.mjs';

// winston knows no level above error.
for await (const { fields, level, message, error } of read()) {
  logger.log({ level: level === 'fatal' ? 'error' : level, message, ...fields, ...(error && { stack: error.stack }) });
}
await transport.close();
process.exit(0);
