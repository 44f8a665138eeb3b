/**
 * Everything on disk that this process answers for: its own journal and the spools it has taken over. Holds their bound
 * together: where it is met, the oldest file without a batch under way goes.
 */

import { mkdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch, OpenBatch } from '../batch.js';
import type { Spool } from '../options.js';
import { Adopted } from './adopted.js';
import { Journal } from './journal.js';
import { claim, orphans, ownName, TOUCH_EVERY_MS } from './owner.js';
import type { Segment } from './segment.js';

/** Between two looks for spools of processes that have gone meanwhile. */
const LOOK_EVERY_MS = 30_000;

export interface SpoolsHooks {
  readonly onAdopted: (batches: readonly Batch[]) => void;
  readonly onError: (error: Error) => void;
}

export class Spools {
  readonly journal: Journal;
  readonly #settings: Spool;
  readonly #hooks: SpoolsHooks;
  readonly #own: Set<string>;
  readonly #adopted: Adopted[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(settings: Spool, producer: string, open: OpenBatch, sequence: () => number, hooks: SpoolsHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    const name = ownName(producer);
    this.#own = new Set([name]);
    const directory = join(settings.directory, name);
    const segmentBytes = Math.min(4 << 20, Math.floor(settings.bytesMax / 16));
    const { onError } = hooks;
    this.journal = new Journal({ directory, producer, segmentBytes, sync: settings.sync, onError }, open, sequence);
    this.#timers.push(setInterval(() => this.#touch(), TOUCH_EVERY_MS).unref());
    this.#timers.push(setInterval(() => this.look(), LOOK_EVERY_MS).unref());
    this.look();
  }

  get bytes(): number {
    return this.#adopted.reduce((sum, adopted) => sum + adopted.bytes, this.journal.bytes);
  }

  /** Whether so many bytes more stay within the bound. */
  hasRoom(bytes: number): boolean {
    return this.bytes + bytes <= this.#settings.bytesMax;
  }

  /** Takes over what dead processes have left. */
  look(): void {
    this.#looking = this.#looking.then(() => this.#adopt()).catch((error: unknown) => this.#hooks.onError(error as Error));
  }

  /** Resolves once everything that was there at the last look is known. */
  whenLooked(): Promise<void> {
    return this.#looking;
  }

  /** The batches of the oldest file that can go; they are decided once this returns. */
  dropOldest(isFree: (batch: Batch) => boolean): Batch[] {
    for (const home of [...this.#adopted, this.journal]) {
      for (const segment of home.segments as Segment[]) {
        const isCurrent = home === this.journal && this.journal.isCurrent(segment);
        if (isCurrent || ![...segment.live].every((batch) => batch.home !== undefined && isFree(batch))) continue;
        const batches = [...segment.live];
        batches.forEach((batch) => home.forget(batch));
        home.remove(segment);
        return batches;
      }
    }
    return [];
  }

  flushSync(): void {
    this.journal.flushSync();
    for (const adopted of this.#adopted) adopted.flushSync();
  }

  closeSync(): void {
    this.#isClosed = true;
    this.#timers.forEach(clearInterval);
    this.flushSync();
    this.journal.closeSync();
  }

  async #adopt(): Promise<void> {
    await mkdir(this.#settings.directory, { recursive: true, mode: 0o700 });
    for (const name of await orphans(this.#settings.directory, this.#own)) {
      if (this.#isClosed) return;
      const mine = await claim(this.#settings.directory, name);
      if (mine === undefined) continue;
      this.#own.add(mine);
      // One that cannot be read, of a later version say, is left for another day.
      await this.#load(join(this.#settings.directory, mine)).catch((error: unknown) => this.#hooks.onError(error as Error));
    }
  }

  async #load(directory: string): Promise<void> {
    const adopted = new Adopted(directory);
    const batches = await adopted.load();
    this.#adopted.push(adopted);
    if (adopted.lostBytes > 0) {
      this.#hooks.onError(new Error(`a spool ended in ${adopted.lostBytes} bytes that were cut off or damaged`));
    }
    if (batches.length > 0) this.#hooks.onAdopted(batches);
  }

  #touch(): void {
    const now = new Date();
    for (const name of this.#own) void utimes(join(this.#settings.directory, name), now, now).catch(() => undefined);
  }
}
