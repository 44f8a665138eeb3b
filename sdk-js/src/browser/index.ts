/**
 * InsightHub for pages: records go out in batches, and with the page when it goes.
 *
 * Small on purpose. A batch keeps its identity over all attempts, so that one that was cut off by a navigation can be
 * sent again.
 */

import { delayMs } from '../core/backoff.js';
import { levelOf, type Level } from '../core/level.js';
import { baseOf, extended, lineOf, type Base, type Fields } from '../core/line.js';
import { verdictOf } from '../core/verdict.js';
import { VERSION } from '../core/version.js';

export interface BrowserOptions {
  /** Addresses of nodes; the page's own origin if not given. */
  readonly nodes?: readonly string[];
  readonly service: string;
  readonly token?: string;
  readonly env?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Memory for records that wait, in characters: 1 MiB if not given. */
  readonly queueMax?: number;
  readonly flushEveryMs?: number;
  /** Log errors that nobody catches: `true` if not given. */
  readonly captureErrors?: boolean;
  readonly onDeadLetter?: (record: string, reason: string) => void;
}

interface Batch {
  readonly sequence: number;
  readonly lines: readonly string[];
  readonly body: string;
  attempts: number;
  isUnderWay: boolean;
  /** It goes on when the page is gone. */
  isKept: boolean;
}

/** Browsers carry 64 KiB in all past the end of a page. */
const KEPT_MAX = 60_000;
const BATCH_CHARS = 16_000;
const GZIP_FROM = 1_024;

export class InsightHub {
  emitted = 0;
  stored = 0;
  rejected = 0;
  dropped = 0;
  readonly #options: BrowserOptions;
  #base: Base;
  #page = '';
  readonly #producer = `web-${crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('')}`;
  readonly #nodes: readonly string[];
  #node = 0;
  #sequence = 0;
  #open: string[] = [];
  #openChars = 0;
  #batches: Batch[] = [];
  #chars = 0;
  #told = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = 0;
  #notBefore = 0;
  #failures = 0;

  constructor(options: BrowserOptions) {
    this.#options = options;
    this.#nodes = (options.nodes ?? [location.origin]).map((node) => node.replace(/\/+$/, ''));
    const { service, env, metadata } = options;
    this.#base = baseOf({ ...metadata, service, env, instance_id: this.#producer.slice(4, 12), sdk: `insighthub-web/${VERSION}` });
    addEventListener('pagehide', () => this.#leave());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.#leave();
    });
    if (options.captureErrors === false) return;
    addEventListener('error', (event) => this.error(event.error ?? event.message));
    addEventListener('unhandledrejection', (event) => this.error(event.reason));
  }

  get waiting(): number {
    return this.emitted - this.stored - this.rejected - this.dropped;
  }

  log(level: Level | string, message: unknown, fields?: Fields): void {
    try {
      this.#take(lineOf(new Date().toISOString(), levelOf(level), message, fields, this.#baseOfPage()));
    } catch {
      // A page never fails for its logs.
    }
  }

  debug(message: unknown, fields?: Fields): void {
    this.log('DEBUG', message, fields);
  }

  info(message: unknown, fields?: Fields): void {
    this.log('INFO', message, fields);
  }

  warn(message: unknown, fields?: Fields): void {
    this.log('WARN', message, fields);
  }

  error(message: unknown, fields?: Fields): void {
    this.log('ERROR', message, fields);
  }

  /** Sends what is waiting. */
  flush(): void {
    this.#seal();
    this.#pump();
  }

  /** A page may change its address without being loaded anew. */
  #baseOfPage(): Base {
    if (this.#page !== location.pathname) {
      this.#page = location.pathname;
      this.#base = extended(this.#base, { page: this.#page });
    }
    return this.#base;
  }

  #take(line: string): void {
    this.emitted += 1;
    this.#open.push(line);
    this.#openChars += line.length;
    this.#chars += line.length;
    while (this.#chars > (this.#options.queueMax ?? 1 << 20) && this.#dropOldest());
    if (this.#openChars >= BATCH_CHARS) this.flush();
    else this.#later(this.#options.flushEveryMs ?? 2_000);
  }

  /** What was sent once may be stored: it stays. */
  #dropOldest(): boolean {
    if (!this.#batches.some((batch) => batch.attempts === 0)) this.#seal();
    const batch = this.#batches.find(({ attempts }) => attempts === 0);
    if (batch === undefined) return false;
    this.#forget(batch);
    this.dropped += batch.lines.length;
    return true;
  }

  #seal(): void {
    if (this.dropped > this.#told && this.#batches.length === 0) {
      const dropped = this.dropped - this.#told;
      this.#told = this.dropped;
      this.warn(`${dropped} records were dropped before they were sent`, { sdk_report: 'dropped', dropped, dropped_total: this.dropped });
    }
    if (this.#open.length === 0) return;
    const lines = this.#open.splice(0);
    this.#openChars = 0;
    const body = `${lines.join('\n')}\n`;
    this.#batches.push({ sequence: ++this.#sequence, lines, body, attempts: 0, isUnderWay: false, isKept: false });
  }

  #pump(): void {
    const wait = this.#notBefore - Date.now();
    if (wait > 0) return this.#later(wait);
    // One on trial after a failure, else two at once.
    const free = (this.#failures > 0 ? 1 : 2) - this.#batches.filter((batch) => batch.isUnderWay).length;
    this.#batches.filter((batch) => !batch.isUnderWay).slice(0, Math.max(free, 0)).forEach((batch) => void this.#send(batch, false));
  }

  /** The page may be gone in a moment, and nothing asynchronous happens then. */
  #leave(): void {
    this.#seal();
    for (const batch of this.#batches) if (!batch.isKept) void this.#send(batch, true);
  }

  async #send(batch: Batch, isLeaving: boolean): Promise<void> {
    batch.isUnderWay = true;
    batch.attempts += 1;
    const headers: Record<string, string> = {
      'content-type': 'application/x-ndjson',
      'x-insighthub-producer': this.#producer,
      'x-insighthub-sequence': String(batch.sequence),
    };
    const { token } = this.#options;
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    let body: BodyInit = batch.body;
    const url = `${this.#nodes[this.#node % this.#nodes.length]}/api/logs`;
    try {
      if (!isLeaving && body.length > GZIP_FROM && typeof CompressionStream === 'function') {
        const zipped = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'));
        body = await new Response(zipped).blob();
        headers['content-encoding'] = 'gzip';
        // It has been sent meanwhile, with the page that was left.
        if (batch.isKept) return;
      }
      const size = typeof body === 'string' ? new Blob([body]).size : (body as Blob).size;
      batch.isKept = this.#keptBytes() + size <= KEPT_MAX;
      this.#kept.set(batch, batch.isKept ? size : 0);
      if (isLeaving && token === undefined && !('keepalive' in Request.prototype)) {
        // Old browsers: without an identity, so it is sent once and never again.
        if (navigator.sendBeacon(url, batch.body)) return this.#settle(batch, batch.lines.length, 0);
      }
      const reply = await fetch(url, { method: 'POST', headers, body, keepalive: batch.isKept, credentials: 'omit', redirect: 'error' });
      this.#heard(batch, reply.status, await reply.text(), reply.headers.get('retry-after'));
    } catch {
      this.#failed(batch, 0);
    }
  }

  #heard(batch: Batch, status: number, text: string, retryAfter: string | null): void {
    const verdict = verdictOf(status, text, retryAfter, batch.lines.length, Date.now());
    if (verdict.kind === 'retry') return this.#failed(batch, verdict.afterMs ?? 0);
    this.#failures = 0;
    const refuse = (line: string | undefined, reason: string): void => this.#options.onDeadLetter?.(line ?? '', reason);
    if (verdict.kind === 'stored') {
      verdict.refusals.forEach(({ position, reason }) => refuse(batch.lines[position], reason));
      this.#settle(batch, verdict.stored, verdict.rejected);
    } else if (verdict.kind === 'split' && batch.lines.length > 1) {
      this.#split(batch);
    } else {
      batch.lines.forEach((line) => refuse(line, verdict.reason));
      this.#settle(batch, 0, batch.lines.length);
    }
    this.#pump();
  }

  #settle(batch: Batch, stored: number, rejected: number): void {
    if (!this.#batches.includes(batch)) return;
    this.#forget(batch);
    this.stored += stored;
    this.rejected += rejected;
    // What was lost meanwhile is told now that there is room for it.
    if (this.#batches.length === 0 && this.dropped > this.#told) this.flush();
  }

  #split(batch: Batch): void {
    if (!this.#batches.includes(batch)) return;
    this.#forget(batch);
    const half = batch.lines.length >> 1;
    for (const lines of [batch.lines.slice(0, half), batch.lines.slice(half)]) {
      const body = `${lines.join('\n')}\n`;
      this.#chars += body.length - lines.length;
      this.#batches.push({ sequence: ++this.#sequence, lines, body, attempts: 0, isUnderWay: false, isKept: false });
    }
  }

  #failed(batch: Batch, afterMs: number): void {
    batch.isUnderWay = false;
    batch.isKept = false;
    this.#kept.delete(batch);
    this.#failures += 1;
    this.#node += 1;
    // Every node once, then with growing pauses.
    const round = Math.floor(this.#failures / this.#nodes.length);
    const pause = Math.max(afterMs, round > 0 ? delayMs(round) : 0);
    this.#notBefore = Math.max(this.#notBefore, Date.now() + pause);
    this.#later(pause);
  }

  readonly #kept = new Map<Batch, number>();

  #keptBytes(): number {
    let bytes = 0;
    for (const size of this.#kept.values()) bytes += size;
    return bytes;
  }

  #forget(batch: Batch): void {
    this.#batches = this.#batches.filter((other) => other !== batch);
    this.#kept.delete(batch);
    this.#chars -= batch.body.length - batch.lines.length;
  }

  /** Of two moments the earlier one: a failure is tried again before the records that came since are old enough. */
  #later(ms: number): void {
    const due = Date.now() + ms;
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, ms);
  }
}
