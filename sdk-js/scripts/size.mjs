// The browser's file must stay below 5 KB as it goes over the wire.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BYTES_MAX = 5_000;
for (const name of ['insighthub.js', 'insighthub.global.js']) {
  const bytes = gzipSync(readFileSync(new URL(`../dist/browser/${name}`, import.meta.url)), { level: 9 }).length;
  console.log(`${name}: ${bytes} bytes gzip, at most ${BYTES_MAX}`);
  if (bytes > BYTES_MAX) process.exitCode = 1;
}
