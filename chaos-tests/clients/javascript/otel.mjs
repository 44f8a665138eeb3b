// OpenTelemetry's own logs API: fields are attributes.
import { read } from './records.mjs';
import { logger, provider } from './setup.mjs';

const SEVERITIES = { debug: 5, info: 9, warn: 13, error: 17, fatal: 21 };

for await (const record of read()) {
  const attributes = { ...record.fields };
  if (record.error) {
    attributes['exception.type'] = record.error.name;
    attributes['exception.message'] = record.error.message;
    attributes['exception.stacktrace'] = record.error.stack;
  }
  logger.emit({
    timestamp: new Date(record.timestamp),
    severityNumber: SEVERITIES[record.level],
    severityText: record.level.toUpperCase(),
    body: record.message,
    attributes,
  });
}
await provider.shutdown();
