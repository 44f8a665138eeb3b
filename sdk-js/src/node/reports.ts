/** Tells the server what was lost before it came there: a record with the counts since the last one. */

import type { DropReason, Stats } from '../core/counters.js';

const EVERY_MS = 10_000;

export class Reports {
  readonly #stats: Stats;
  readonly #write: (message: string, fields: Record<string, unknown>) => void;
  #timer: NodeJS.Timeout | undefined;
  #told = 0;
  #toldBy: Partial<Record<DropReason, number>> = {};

  constructor(stats: Stats, write: (message: string, fields: Record<string, unknown>) => void) {
    this.#stats = stats;
    this.#write = write;
  }

  /** Something was dropped: it will be said, and what follows soon after along with it. */
  soon(): void {
    if (this.#timer !== undefined || this.#stats.dropped === this.#told) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.write();
    }, EVERY_MS).unref();
  }

  /** Says it now, if there is something to say. */
  write(): void {
    const dropped = this.#stats.dropped - this.#told;
    if (dropped === 0) return;
    this.#told = this.#stats.dropped;
    const by: Record<string, number> = {};
    for (const [reason, count] of Object.entries(this.#stats.dropped_by)) {
      const more = count - (this.#toldBy[reason as DropReason] ?? 0);
      if (more > 0) by[reason] = more;
    }
    this.#toldBy = { ...this.#stats.dropped_by };
    this.#write(`${dropped} records were dropped before they were sent`, {
      sdk_report: 'dropped',
      dropped,
      dropped_total: this.#stats.dropped,
      dropped_by: by,
    });
    // What the report itself displaced is part of the next one.
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
