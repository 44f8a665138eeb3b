/**
 * Marks what this client does itself, so that a logger that watches HTTP requests, and logs into this client, does not
 * make every batch write the next one.
 */

import type { EventEmitter } from 'node:events';

let depth = 0;

/** Whether the code that runs is our own I/O, or a listener of it. */
export const isOwnWork = (): boolean => depth > 0;

export function quietly<T>(work: () => T): T {
  depth += 1;
  try {
    return work();
  } finally {
    depth -= 1;
  }
}

/** Whatever listens to this emitter runs as our own work. */
export function quieted<T extends EventEmitter>(emitter: T): T {
  const emit = emitter.emit.bind(emitter);
  emitter.emit = (...event: Parameters<EventEmitter['emit']>) => quietly(() => emit(...event));
  return emitter;
}
