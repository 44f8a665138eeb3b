/** The client: takes records, never throws, never waits, and says what became of them. */

import { inspect } from 'node:util';
import { emptyStats, type DropReason, type Stats } from '../core/counters.js';
import { reasonOf } from '../core/json.js';
import type { Level } from '../core/level.js';
import { baseOf, cutLineOf, lineOf, type Base, type Fields } from '../core/line.js';
import { deliverSync } from './exit.js';
import { register, unregister, type Mortal } from './lifecycle.js';
import { Logger } from './logger.js';
import { Membership } from './membership.js';
import { Nodes } from './nodes.js';
import { settingsOf, type DeadLetter, type Options, type Settings } from './options.js';
import { Poster } from './post.js';
import { isOwnWork } from './quiet.js';
import { Reports } from './reports.js';
import { Sender } from './sender.js';
import { Store } from './store.js';

/** The server refuses records above 1 MiB; text takes up to three bytes a unit. */
const RECORD_BYTES_MAX = (1 << 20) - 1_024;
/** Complaints on stderr, where nobody listens to them. */
const COMPLAIN_EVERY_MS = 60_000;

export class InsightHub extends Logger {
  readonly #settings: Settings;
  readonly #options: Options;
  readonly #stats = emptyStats();
  readonly #store: Store;
  readonly #nodes: Nodes;
  readonly #poster: Poster;
  readonly #sender: Sender;
  readonly #reports: Reports;
  readonly #mortal: Mortal;
  #moment = '';
  #momentMs = 0;
  #isPumping = false;
  #isClosed = false;
  #isExiting = false;
  /** Of the end of the process: it may wait so long, over all attempts. */
  #exitDeadline = 0;
  #complainedAt = 0;

  /** Throws where an option is wrong; nothing else of a client ever throws. */
  constructor(options: Options) {
    const settings = settingsOf(options);
    super(baseOf(settings.metadata), settings.level, (level, message, fields, base) => this.#log(level, message, fields, base));
    this.#settings = settings;
    this.#options = options;
    const onError = (error: Error): void => this.#complain(error);
    this.#store = new Store(settings, this.#stats, { onReady: () => this.#pumpSoon(), onError });
    this.#nodes = new Nodes(settings.nodes);
    this.#poster = new Poster({ token: settings.token, ca: settings.ca, timeoutMs: settings.requestTimeoutMs });
    this.#sender = new Sender({
      store: this.#store,
      nodes: this.#nodes,
      poster: this.#poster,
      membership: new Membership(this.#nodes, this.#poster, settings.discover),
      stats: this.#stats,
      concurrency: settings.concurrency,
      onDeadLetter: (letter) => this.#deadLetter(letter),
      onError,
    });
    this.#reports = new Reports(this.#stats, (message, fields) => this.#report(message, fields));
    this.#mortal = this.#asMortal();
    if (settings.lifecycle !== false) register(this.#mortal);
  }

  /** What became of all records so far. */
  stats(): Stats {
    return { ...this.#stats, dropped_by: { ...this.#stats.dropped_by }, on_disk: this.#store.onDisk() };
  }

  /** Bytes that waiting records take in memory. */
  get queueBytes(): number {
    return this.#store.memoryBytes;
  }

  /** Addresses that are sent to: those given and those learnt. */
  get nodes(): string[] {
    return this.#nodes.urls;
  }

  /** Takes one record that is JSON already: an object on one line, with at least `message`. */
  line(json: string): void | Promise<void> {
    return this.#take(json);
  }

  /** Sends what is waiting now. True once everything is decided; false when the time is over first. */
  async flush(timeoutMs = this.#settings.exitTimeoutMs): Promise<boolean> {
    this.#reports.write();
    this.#store.seal();
    this.#sender.hurry();
    if (timeoutMs <= 0) return this.#store.isEmpty;
    // The timer is what keeps the process alive meanwhile.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#drained(), late]);
    clearTimeout(timer);
    return this.#store.isEmpty;
  }

  /** Flushes, then ends. What could not be delivered stays in the spool, or is counted as dropped. */
  async close(timeoutMs = this.#settings.exitTimeoutMs): Promise<boolean> {
    if (this.#isClosed) return this.#store.isEmpty;
    const isEmpty = await this.flush(timeoutMs);
    this.#end();
    return isEmpty;
  }

  override [inspect.custom](): string {
    const { stored, waiting, dropped } = this.#stats;
    return `InsightHub { nodes: [${this.nodes.join(', ')}], stored: ${stored}, waiting: ${waiting}, dropped: ${dropped} }`;
  }

  async #drained(): Promise<void> {
    await this.#store.spools?.whenLooked();
    await this.#sender.whenIdle();
    // There was no room for it before.
    if (!this.#reports.write()) return;
    this.#store.seal();
    await this.#sender.whenIdle();
  }

  #log(level: Level, message: unknown, fields: Fields | undefined, base: Base): void | Promise<void> {
    // A logger that watches HTTP requests has seen ours.
    if (isOwnWork()) return undefined;
    const moment = this.#now();
    let line = lineOf(moment, level, message, fields, base);
    if (line.length * 3 > RECORD_BYTES_MAX && Buffer.byteLength(line) > RECORD_BYTES_MAX) {
      this.#stats.truncated += 1;
      line = cutLineOf(moment, level, message, base, line.length);
    }
    return this.#take(line);
  }

  #take(line: string): void | Promise<void> {
    this.#stats.emitted += 1;
    if (this.#isClosed) return this.#drop('closed');
    try {
      const reason = this.#store.append(line);
      if (reason !== undefined) this.#drop(reason);
      if (this.#stats.dropped > 0) this.#reports.soon();
      if (this.#isExiting) this.#mortal.flushAtExit();
    } catch (error) {
      this.#complain(error as Error);
    }
    return this.#settings.whenFull === 'block' ? this.#store.whenRoom() : undefined;
  }

  #drop(reason: DropReason): void {
    this.#stats.dropped += 1;
    this.#stats.dropped_by[reason] += 1;
  }

  /** A record of our own, where it displaces nothing. */
  #report(message: string, fields: Record<string, unknown>): boolean {
    if (this.#isClosed || this.#store.whenRoom() !== undefined) return false;
    if (this.#store.append(lineOf(this.#now(), 'WARN', message, fields, this.base)) !== undefined) return false;
    this.#stats.reports += 1;
    this.#stats.emitted += 1;
    return true;
  }

  /** Several records share a millisecond: its text is made once. */
  #now(): string {
    const now = Date.now();
    if (now !== this.#momentMs) {
      this.#momentMs = now;
      this.#moment = new Date(now).toISOString();
    }
    return this.#moment;
  }

  /** Not within the caller's own turn. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      if (!this.#isClosed) this.#sender.pump();
    });
  }

  #asMortal(): Mortal {
    let failedAt = -1;
    return {
      heedsSignals: this.#settings.lifecycle === true,
      flushAtEnd: async () => {
        // An empty event loop is told of again and again: what failed is not tried for ever.
        if (this.#store.isEmpty || failedAt === this.#stats.emitted) return;
        const isEmpty = await this.flush(this.#deadline() - Date.now());
        if (!isEmpty) failedAt = this.#stats.emitted;
      },
      flushAtExit: () => this.#flushAtExit(),
      crashed: (error, origin) => {
        if (this.#settings.crashRecords) this.fatal(error instanceof Error ? error : reasonOf(error), { origin });
      },
    };
  }

  /** May come again: other handlers of the exit may log. */
  #flushAtExit(): void {
    this.#isExiting = true;
    this.#sender.stop();
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        this.#complain(error as Error);
      }
    };
    attempt(() => {
      this.#reports.write();
      this.#deliverSync(this.#deadline());
      // There was no room for it before.
      if (this.#reports.write()) this.#deliverSync(this.#deadline());
    });
    // Where no thread can be started any more, what is on disk stays there, and the rest is counted.
    attempt(() => this.#abandon());
    attempt(() => this.#store.close());
  }

  /** All attempts at the end of the process share one; long after it another end has begun. */
  #deadline(): number {
    const { exitTimeoutMs } = this.#settings;
    if (Date.now() > this.#exitDeadline + exitTimeoutMs) this.#exitDeadline = Date.now() + exitTimeoutMs;
    return this.#exitDeadline;
  }

  #deliverSync(deadline: number): void {
    deliverSync(this.#store.undecided(), deadline, {
      nodes: this.#nodes.byHealth,
      token: this.#settings.token,
      ca: this.#settings.ca,
      bodyOf: (batch) => this.#store.bodyOfSync(batch),
      decided: (batch, stored, rejected) => {
        this.#store.decide(batch);
        this.#stats.stored += stored;
        this.#stats.rejected += rejected;
      },
    });
  }

  #end(): void {
    this.#isClosed = true;
    this.#sender.stop();
    this.#reports.stop();
    this.#abandon();
    this.#store.close();
    this.#poster.close();
    unregister(this.#mortal);
  }

  /** What is not on disk is lost now, and counted. */
  #abandon(): void {
    const lost = this.#store.abandon();
    if (lost === 0) return;
    this.#complainedAt = 0;
    this.#complain(new Error(`${lost} records could not be delivered before the end`));
  }

  #deadLetter(letter: DeadLetter): void {
    try {
      this.#options.onDeadLetter?.(letter);
    } catch {
      // The application's own affair.
    }
  }

  #complain(error: Error): void {
    try {
      if (this.#options.onError !== undefined) return this.#options.onError(error);
      const now = Date.now();
      if (now - this.#complainedAt < COMPLAIN_EVERY_MS) return;
      this.#complainedAt = now;
      process.stderr.write(`insighthub: ${error.message}\n`);
    } catch {
      // Nobody to tell.
    }
  }
}
