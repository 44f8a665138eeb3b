/** The console: what is written to it is logged as well. */

import { format } from 'node:util';
import type { Level } from '../core/level.js';
import type { Logger } from '../node/logger.js';

const METHODS = { log: 'INFO', info: 'INFO', debug: 'DEBUG', warn: 'WARN', error: 'ERROR', trace: 'TRACE' } as const satisfies Record<string, Level>;
type Method = keyof typeof METHODS;

/** Logs what the console is given, and gives back a function that ends it. */
export function patchConsole(logger: Logger, target: Console = console): () => void {
  let isWithin = false;
  const undo = (Object.keys(METHODS) as Method[]).map((method) => {
    const original = target[method];
    const patched = (...args: unknown[]): void => {
      original.apply(target, args);
      // A dead letter's callback may write to the console.
      if (isWithin) return;
      isWithin = true;
      try {
        const errors = args.filter((arg) => arg instanceof Error);
        logger.log(METHODS[method], text(args), errors.length > 0 ? { error: errors[0] } : undefined);
      } finally {
        isWithin = false;
      }
    };
    target[method] = patched;
    return () => {
      // Somebody may have patched it after us.
      if (target[method] === patched) target[method] = original;
    };
  });
  return () => undo.forEach((one) => one());
}

function text(args: readonly unknown[]): string {
  try {
    return format(...args);
  } catch {
    return '[arguments that cannot be read]';
  }
}
