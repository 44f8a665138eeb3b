/**
 * pino: the default export is the transport that pino runs on a worker thread; `transport` starts it from the main
 * thread, where signals arrive, so that SIGTERM loses nothing either.
 */

import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { baseOf, lineOf } from '../core/line.js';
import { levelOf } from '../core/level.js';
import { InsightHub } from '../node/client.js';
import { register, unregister, type Mortal } from '../node/lifecycle.js';
import { settingsOf, type Options } from '../node/options.js';

/** What pino starts, and what of it is needed here. */
interface ThreadStream {
  end(): void;
  once(event: 'close', listener: () => void): unknown;
}

/** pino itself, whichever version: its overloads are its own affair. */
interface Pino {
  transport(options: any): any;
}

const CLOSE_WITHIN_MS = 10_000;

/** Runs on pino's worker thread. */
export default function build(options: Options): Writable {
  const client = new InsightHub(options);
  const lines = new PinoLines(options);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string): void => {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) if (piece !== '') client.line(lines.complete(piece));
  };
  return new Writable({
    autoDestroy: true,
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      take(typeof chunk === 'string' ? chunk : decoder.write(chunk));
      done();
    },
    final(done) {
      take('\n');
      client.close().then(() => done(), () => done());
    },
  });
}

/** A stream for `pino(...)`: the transport on its thread, delivered on signals too. */
export function transport<T extends Pino>(pino: T, options: Options): ReturnType<T['transport']> {
  const stream: ReturnType<T['transport']> = pino.transport({ target: 'insighthub/pino', options });
  if (options.lifecycle === undefined || options.lifecycle === true) deliverOnSignals(stream);
  return stream;
}

/** Lets a pino transport finish its work before a signal that nobody handles ends the process. */
export function deliverOnSignals(stream: ThreadStream): void {
  const mortal: Mortal = {
    heedsSignals: true,
    flushAtEnd: (cause) => (cause === 'signal' ? ended(stream) : Promise.resolve()),
    flushAtExit: () => undefined,
    crashed: () => undefined,
  };
  register(mortal);
  stream.once('close', () => unregister(mortal));
}

function ended(stream: ThreadStream): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, CLOSE_WITHIN_MS);
    stream.once('close', () => {
      clearTimeout(late);
      resolve();
    });
    stream.end();
  });
}

/** pino's lines as the server takes them: nearly all of them as they are, with the metadata in front. */
class PinoLines {
  readonly #base: ReturnType<typeof baseOf>;
  readonly #prefix: string;
  readonly #names: readonly string[];

  constructor(options: Options) {
    // pino says the process id itself.
    const { pid: _, ...metadata } = settingsOf(options).metadata;
    this.#base = baseOf(metadata);
    this.#prefix = `{${this.#base.text.slice(1)},`;
    this.#names = [...this.#base.members.keys()].map((name) => `"${name}":`);
  }

  complete(line: string): string {
    // Without an object within it a name that is found is a member of the record itself.
    const isPlain = /^\{"level":[1-6]0,"time":\d+,/.test(line) && line.endsWith('}') && line.indexOf('{', 1) < 0;
    if (isPlain && line.includes('"msg":') && !this.#names.some((name) => line.includes(name))) {
      return this.#prefix + line.slice(1);
    }
    return this.#rewritten(line);
  }

  #rewritten(line: string): string {
    let record: Record<string, unknown>;
    try {
      const value: unknown = JSON.parse(line);
      record = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : { msg: line };
    } catch {
      record = { msg: line };
    }
    const { level, time, msg, ...fields } = record;
    const moment = new Date(typeof time === 'number' || typeof time === 'string' ? time : Date.now());
    const at = Number.isNaN(moment.getTime()) ? new Date() : moment;
    return lineOf(at.toISOString(), levelOf(level), msg ?? '', fields, this.#base);
  }
}
