// The records to send, as the test wrote them down, at the pace it asks for.
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const PAUSE_EVERY = 50;
const PAUSE_MS = Number(process.env.PAUSE_MS ?? 0);

export async function* read() {
  const lines = readFileSync('records.ndjson', 'utf8').trimEnd().split('\n');
  for (const [number, line] of lines.entries()) {
    if (PAUSE_MS && number && number % PAUSE_EVERY === 0) await setTimeout(PAUSE_MS);
    const record = JSON.parse(line);
    if (record.exception !== null) record.error = new TypeError(record.exception);
    yield record;
  }
}
