/**
 * The last chance of a process that ends: runs on a thread of its own while the main thread waits in its `exit` handler,
 * where nothing asynchronous can happen. Built into a string, so that bundlers need not find a file.
 */

import { workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { delayMs } from '../core/backoff.js';
import { verdictOf } from '../core/verdict.js';
import { DECIDED, DONE, FIELDS, FIRST, REFUSED, type ExitJob, type ExitBatch } from './exit-job.js';
import { Poster, type Parcel } from './post.js';

const GZIP_FROM_BYTES = 1_024;
const CONCURRENCY = 4;

const job = workerData as ExitJob;
const results = new Int32Array(job.results);
const poster = new Poster({ token: job.token, ca: job.ca, timeoutMs: Math.max(job.deadline - Date.now(), 1) });

function parcelOf({ producer, sequence, body }: ExitBatch): Parcel {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length < GZIP_FROM_BYTES) return { producer, sequence, body: bytes, encoding: undefined };
  return { producer, sequence, body: gzipSync(bytes, { level: 1 }), encoding: 'gzip' };
}

async function deliver(batch: ExitBatch, index: number): Promise<void> {
  const parcel = parcelOf(batch);
  for (let attempt = 0; Date.now() < job.deadline; attempt++) {
    const node = job.nodes[(index + attempt) % job.nodes.length] ?? '';
    let pauseMs = attempt % job.nodes.length < job.nodes.length - 1 ? 0 : delayMs(1 + attempt / job.nodes.length);
    try {
      const answer = await poster.post(node, parcel);
      const verdict = verdictOf(answer.status, answer.text, answer.retryAfter, batch.records, Date.now());
      if (verdict.kind === 'stored') return note(index, DECIDED, verdict.stored, verdict.rejected);
      if (verdict.kind === 'refused' || (verdict.kind === 'split' && batch.records === 1)) {
        return note(index, REFUSED, 0, batch.records);
      }
      // Halves would need sequences of their own, which are the main thread's to give.
      if (verdict.kind === 'split' || verdict.wholeCluster) return;
      pauseMs = Math.max(pauseMs, verdict.afterMs ?? 0);
    } catch {
      // The next node, or the same a little later.
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function note(index: number, state: number, stored: number, rejected: number): void {
  const place = FIRST + index * FIELDS;
  Atomics.store(results, place + 1, stored);
  Atomics.store(results, place + 2, rejected);
  Atomics.store(results, place, state);
}

async function deliverAll(): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < job.batches.length; index = next++) {
      const batch = job.batches[index];
      if (batch !== undefined) await deliver(batch, index);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

// Requests do not keep a thread alive.
const alive = setInterval(() => undefined, 1_000);
void deliverAll().finally(() => {
  clearInterval(alive);
  Atomics.store(results, DONE, 1);
  Atomics.notify(results, DONE);
});
