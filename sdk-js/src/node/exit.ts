/** Delivers while the process ends, and returns only when that is done or its time is over. */

import { Worker } from 'node:worker_threads';
import type { Batch } from './batch.js';
import { DECIDED, DONE, FIELDS, FIRST, REFUSED, type ExitJob } from './exit-job.js';
import type { Options } from './options.js';

/** The thread's program, put here by the build. */
declare const EXIT_WORKER_SOURCE: string;

/** Bodies handed over at once: they are copied. */
const BYTES_AT_ONCE = 8 << 20;

export interface Delivery {
  readonly nodes: readonly string[];
  readonly token: string | undefined;
  readonly ca: Options['ca'];
  readonly bodyOf: (batch: Batch) => Uint8Array;
  readonly decided: (batch: Batch, stored: number, rejected: number) => void;
}

/** Tries to deliver the batches until the deadline. */
export function deliverSync(batches: readonly Batch[], deadline: number, delivery: Delivery): void {
  for (let first = 0; first < batches.length && Date.now() < deadline; ) {
    let count = 0;
    for (let bytes = 0; first + count < batches.length; count++) {
      bytes += batches[first + count]?.bytes ?? 0;
      if (bytes > BYTES_AT_ONCE && count > 0) break;
    }
    deliverSome(batches.slice(first, first + count), deadline, delivery);
    first += count;
  }
}

function deliverSome(batches: readonly Batch[], deadline: number, delivery: Delivery): void {
  const readable = batches.flatMap((batch) => {
    try {
      return [{ batch, body: delivery.bodyOf(batch) }];
    } catch {
      return [];
    }
  });
  const results = new Int32Array(new SharedArrayBuffer((FIRST + readable.length * FIELDS) * 4));
  const job: ExitJob = {
    nodes: delivery.nodes,
    token: delivery.token,
    ca: delivery.ca,
    deadline,
    batches: readable.map(({ batch: { producer, sequence, records }, body }) => ({ producer, sequence, records, body })),
    results: results.buffer as SharedArrayBuffer,
  };
  // Its output would be passed on by this thread, which waits.
  const worker = new Worker(EXIT_WORKER_SOURCE, { eval: true, workerData: job, execArgv: [], stdout: true, stderr: true });
  worker.on('error', () => undefined);
  worker.unref();
  Atomics.wait(results, DONE, 0, Math.max(deadline - Date.now(), 1));
  readable.forEach(({ batch }, index) => {
    const place = FIRST + index * FIELDS;
    const state = Atomics.load(results, place);
    if (state === DECIDED || state === REFUSED) {
      delivery.decided(batch, Atomics.load(results, place + 1), Atomics.load(results, place + 2));
    }
  });
}
