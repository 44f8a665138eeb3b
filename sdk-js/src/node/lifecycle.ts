/**
 * The end of the process, in all its forms: an empty event loop, `process.exit`, signals, exceptions nobody catches.
 *
 * One set of handlers for all clients of the process, also where the package was loaded twice. It changes nothing of how
 * a process ends: a signal that nobody else handles still kills it, an exception still makes its exit code 1.
 */

import { isMainThread } from 'node:worker_threads';

/** A client, as far as the end of the process concerns it. */
export interface Mortal {
  readonly heedsSignals: boolean;
  /** Delivers what there is within the client's time; never rejects. */
  flushAtEnd(cause: Cause): Promise<void>;
  /** The same at once: nothing asynchronous happens any more. */
  flushAtExit(): void;
  crashed(error: unknown, origin: string): void;
}

/** Nothing is left to do; a signal that ends the process; one that the application handles itself. */
export type Cause = 'idle' | 'signal' | 'handled';

interface Registry {
  readonly mortals: Set<Mortal>;
  readonly remove: () => void;
}

type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';
const SIGNALS: readonly Signal[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
const KEY = Symbol.for('insighthub.lifecycle');
/** On our handlers: whoever has none is the application's. */
const OURS = Symbol.for('insighthub.handler');

const registries = globalThis as unknown as Record<typeof KEY, Registry | undefined>;

export function register(mortal: Mortal): void {
  registries[KEY] ??= install();
  registries[KEY].mortals.add(mortal);
}

export function unregister(mortal: Mortal): void {
  const registry = registries[KEY];
  if (registry === undefined || !registry.mortals.delete(mortal) || registry.mortals.size > 0) return;
  registry.remove();
  registries[KEY] = undefined;
}

function install(): Registry {
  const mortals = new Set<Mortal>();
  const onBeforeExit = (): void => {
    for (const mortal of mortals) void mortal.flushAtEnd('idle');
  };
  const onExit = (): void => {
    for (const mortal of mortals) mortal.flushAtExit();
  };
  const onCrash = (error: unknown, origin: string): void => {
    for (const mortal of mortals) mortal.crashed(error, origin);
  };
  process.on('beforeExit', onBeforeExit);
  process.on('exit', onExit);
  process.on('uncaughtExceptionMonitor', onCrash);
  const removeSignals = isMainThread ? installSignals(mortals) : () => undefined;
  return {
    mortals,
    remove: () => {
      process.off('beforeExit', onBeforeExit);
      process.off('exit', onExit);
      process.off('uncaughtExceptionMonitor', onCrash);
      removeSignals();
    },
  };
}

function installSignals(mortals: ReadonlySet<Mortal>): () => void {
  let isDying = false;
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      const heeding = [...mortals].filter((mortal) => mortal.heedsSignals);
      // The application decides what becomes of it; what it has logged so far goes out meanwhile.
      if (hasOthers(signal)) return heeding.forEach((mortal) => void mortal.flushAtEnd('handled'));
      // Somebody is in a hurry.
      if (isDying) return die(signal, handler);
      isDying = true;
      void Promise.all(heeding.map((mortal) => mortal.flushAtEnd('signal'))).then(() => {
        // What was logged meanwhile, and what must go to disk.
        heeding.forEach((mortal) => mortal.flushAtExit());
        die(signal, handler);
      });
    };
    Object.defineProperty(handler, OURS, { value: true });
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => handlers.forEach((remove) => remove());
}

function hasOthers(signal: Signal): boolean {
  return process.listeners(signal).some((listener) => !(OURS in listener));
}

/** As if nobody had listened. */
function die(signal: Signal, handler: () => void): void {
  process.off(signal, handler);
  process.kill(process.pid, signal);
}
