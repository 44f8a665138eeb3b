/** Tells the server what was lost before it came there: a record with the counts since the last one. */

import type { DropReason, Stats } from '../core/counters.js';

const EVERY_MS = 10_000;

export class Reports {
  readonly #stats: Stats;
  /** Says whether there was room for it: a report must not be lost with what it reports. */
  readonly #write: (message: string, fields: Record<string, unknown>) => boolean;
  #timer: NodeJS.Timeout | undefined;
  #told = 0;
  #toldBy: Partial<Record<DropReason, number>> = {};

  constructor(stats: Stats, write: (message: string, fields: Record<string, unknown>) => boolean) {
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

  /** Says it now, if there is something to say and room for it; else later. Says whether it did. */
  write(): boolean {
    const dropped = this.#stats.dropped - this.#told;
    if (dropped === 0) return false;
    const by: Record<string, number> = {};
    for (const [reason, count] of Object.entries(this.#stats.dropped_by)) {
      const more = count - (this.#toldBy[reason as DropReason] ?? 0);
      if (more > 0) by[reason] = more;
    }
    const told = { total: this.#stats.dropped, by: { ...this.#stats.dropped_by } };
    const fields = { sdk_report: 'dropped', dropped, dropped_total: told.total, dropped_by: by };
    if (!this.#write(`${dropped} records were dropped before they were sent`, fields)) {
      this.soon();
      return false;
    }
    this.#told = told.total;
    this.#toldBy = told.by;
    return true;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
