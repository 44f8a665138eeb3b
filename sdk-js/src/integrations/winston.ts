/** winston: a transport for its loggers. Takes records in the caller's turn, so that no exit comes too early for them. */

import { Writable } from 'node:stream';
import type { Fields } from '../core/line.js';
import { InsightHub } from '../node/client.js';
import type { Options } from '../node/options.js';

/** winston keeps the plain level under this name: `level` itself may be coloured. */
const LEVEL = Symbol.for('level');

type Info = Record<string | symbol, unknown>;

/** logform's, without depending on it: its records have types of their own. */
interface Format {
  transform(info: any, options?: any): any;
  options?: object;
}

export interface TransportOptions extends Omit<Options, 'level'> {
  /** Records below it are not taken; the logger's own if not given. */
  readonly level?: string;
  readonly silent?: boolean;
  readonly handleExceptions?: boolean;
  readonly handleRejections?: boolean;
  readonly format?: Format;
  /** A client to share; made from the other options if not given. */
  readonly client?: InsightHub;
}

export class InsightHubTransport extends Writable {
  /** What winston reads of a transport. */
  level?: string;
  silent: boolean;
  handleExceptions: boolean;
  handleRejections: boolean;
  format?: Format;
  levels: Record<string, number> | undefined;
  parent: { level?: string } | undefined;
  readonly #client: InsightHub;
  readonly #ownsClient: boolean;

  constructor(options: TransportOptions) {
    super({ objectMode: true });
    const { level, silent, handleExceptions, handleRejections, format, client, ...rest } = options;
    if (level !== undefined) this.level = level;
    this.silent = silent ?? false;
    this.handleExceptions = handleExceptions ?? false;
    this.handleRejections = handleRejections ?? false;
    if (format !== undefined) this.format = format;
    this.#ownsClient = client === undefined;
    this.#client = client ?? new InsightHub(rest);
    this.once('pipe', (logger: unknown) => {
      const { levels } = logger as { levels?: Record<string, number> };
      this.levels = levels;
      this.parent = logger as { level?: string };
    });
  }

  get client(): InsightHub {
    return this.#client;
  }

  /** What winston calls where it does not pipe; it also tells a transport by it. */
  log(info: Info, done?: () => void): void {
    this._write(info, 'utf8', () => done?.());
  }

  override _write(info: Info, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    try {
      const shown = this.#isWanted(info) ? this.#formatted(info) : undefined;
      if (shown !== undefined) this.#take(shown);
    } catch {
      // Its format has failed; the application's logger goes on.
    }
    done();
  }

  override _final(done: (error?: Error) => void): void {
    const ended = this.#ownsClient ? this.#client.close() : this.#client.flush();
    ended.then(() => done(), () => done());
  }

  #isWanted(info: Info): boolean {
    if (this.silent || (info['exception'] === true && !this.handleExceptions)) return false;
    if (info['rejection'] === true && !this.handleRejections) return false;
    const least = this.level ?? this.parent?.level;
    if (least === undefined || this.levels === undefined) return true;
    return (this.levels[least] ?? Infinity) >= (this.levels[String(info[LEVEL])] ?? 0);
  }

  #formatted(info: Info): Info | undefined {
    if (this.format === undefined) return info;
    const shown: unknown = this.format.transform(Object.assign({}, info), this.format.options);
    return typeof shown === 'object' && shown !== null ? (shown as Info) : undefined;
  }

  #take(info: Info): void {
    const { level, message, ...fields } = info;
    this.#client.log(String(info[LEVEL] ?? level), message ?? '', fields as Fields);
  }
}
