/** The methods an application logs with; a child has more members in every record. Never throws. */

import { inspect } from 'node:util';
import { levelOf, type Level } from '../core/level.js';
import { extended, type Base, type Fields } from '../core/line.js';

/** Takes a record; a promise where the application asked to wait for room. */
export type Sink = (level: Level, message: unknown, fields: Fields | undefined, base: Base) => void | Promise<void>;

const RANKS: Readonly<Record<Level, number>> = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4, FATAL: 5 };

export class Logger {
  protected readonly base: Base;
  readonly #sink: Sink;
  readonly #level: Level;

  constructor(base: Base, level: string, sink: Sink) {
    this.base = base;
    this.#level = levelOf(level);
    this.#sink = sink;
  }

  /** Under any level: a name, or a number as pino has them. */
  log(level: string | number, message: unknown, fields?: Fields): void | Promise<void> {
    return this.#write(levelOf(level), message, fields);
  }

  trace(message: unknown, fields?: Fields): void | Promise<void> {
    return this.#write('TRACE', message, fields);
  }

  debug(message: unknown, fields?: Fields): void | Promise<void> {
    return this.#write('DEBUG', message, fields);
  }

  info(message: unknown, fields?: Fields): void | Promise<void> {
    return this.#write('INFO', message, fields);
  }

  warn(message: unknown, fields?: Fields): void | Promise<void> {
    return this.#write('WARN', message, fields);
  }

  error(message: unknown, fields?: Fields): void | Promise<void> {
    return this.#write('ERROR', message, fields);
  }

  fatal(message: unknown, fields?: Fields): void | Promise<void> {
    return this.#write('FATAL', message, fields);
  }

  /** Logs with these members in every record. */
  child(fields: Fields): Logger {
    return new Logger(extended(this.base, fields), this.#level, this.#sink);
  }

  /** Secrets stay out of whatever prints objects. */
  [inspect.custom](): string {
    return 'Logger {}';
  }

  toJSON(): Record<string, never> {
    return {};
  }

  #write(level: Level, message: unknown, fields: Fields | undefined): void | Promise<void> {
    if (RANKS[level] < RANKS[this.#level]) return undefined;
    return this.#sink(level, message, fields, this.base);
  }
}
