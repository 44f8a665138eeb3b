/** What the main thread and the thread of the last delivery share. */

import type { Options } from './options.js';

export interface ExitBatch {
  readonly producer: string;
  readonly sequence: number;
  readonly records: number;
  readonly body: Uint8Array;
}

export interface ExitJob {
  readonly nodes: readonly string[];
  readonly token: string | undefined;
  readonly ca: Options['ca'];
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly batches: readonly ExitBatch[];
  readonly results: SharedArrayBuffer;
}

/** Results are whole numbers: a flag that all is done, then state, stored and rejected of each batch. */
export const DONE = 0;
export const FIRST = 1;
export const FIELDS = 3;
export const DECIDED = 1;
export const REFUSED = 2;
