/**
 * Records between `log` and the server's answer: bounded in bytes, cut into batches, in memory and, where there is a
 * spool, on disk. Decides what is lost when it is full. Knows nothing of the network.
 *
 * A batch that was sent once is never dropped: nobody knows whether the server has it, and the books must close.
 */

import type { DropReason, Stats } from '../core/counters.js';
import { offsetAfter, OpenBatch, type Batch } from './batch.js';
import type { Settings } from './options.js';
import { Spools } from './spool/spools.js';

export interface StoreHooks {
  /** There is something to send. */
  readonly onReady: () => void;
  readonly onError: (error: Error) => void;
}

export class Store {
  readonly spools: Spools | undefined;
  readonly #settings: Settings;
  readonly #stats: Stats;
  readonly #hooks: StoreHooks;
  readonly #open = new OpenBatch();
  /** Sequence of the open batch. */
  #sequence = 1;
  /** In the order they are sent. */
  #sealed: Batch[] = [];
  /** Sealed, and on their way to the disk. */
  readonly #sealing = new Set<Batch>();
  readonly #underWay = new Set<Batch>();
  /** Bytes of all bodies in memory. */
  #memory = 0;
  #age: NodeJS.Timeout | undefined;
  #room: Promise<void> | undefined;
  #roomFound: (() => void) | undefined;

  constructor(settings: Settings, stats: Stats, hooks: StoreHooks) {
    this.#settings = settings;
    this.#stats = stats;
    this.#hooks = hooks;
    if (settings.spool !== undefined) {
      this.spools = new Spools(settings.spool, settings.producer, this.#open, () => this.#sequence, {
        onAdopted: (batches) => this.#adopt(batches),
        onError: hooks.onError,
      });
    }
  }

  /** Takes a record, or says why not. */
  append(line: string): DropReason | undefined {
    const reason = this.#makeRoom(line.length);
    if (reason !== undefined) return reason;
    if (this.#open.records === 0) this.#startAge();
    this.#memory += this.#open.add(line);
    this.#stats.waiting += 1;
    if (this.#settings.spool?.everyRecord === true) this.spools?.journal.flushSync();
    else this.spools?.journal.touch();
    if (this.#open.records >= this.#settings.batchRecords || this.#open.bytes >= this.#settings.batchBytes) this.seal();
    return undefined;
  }

  /** Resolves once there is room; undefined where there is. */
  whenRoom(): Promise<void> | undefined {
    const isFull = (): boolean => this.#memory >= this.#settings.queueBytesMax / 2;
    while (isFull() && this.#releaseNewest());
    if (!isFull() && this.#spoolHasRoom()) return undefined;
    this.#room ??= new Promise((resolve) => {
      this.#roomFound = resolve;
    });
    return this.#room;
  }

  get memoryBytes(): number {
    return this.#memory;
  }

  /** Nothing is waiting, in memory or on disk. */
  get isEmpty(): boolean {
    return this.#stats.waiting === 0;
  }

  /** Closes the open batch: it can be sent. */
  seal(): void {
    if (this.#open.records === 0) return;
    clearTimeout(this.#age);
    const batch: Batch = {
      producer: this.#settings.producer,
      sequence: this.#sequence,
      records: this.#open.records,
      bytes: this.#open.bytes,
      body: undefined,
      home: undefined,
      place: undefined,
      attempts: 0,
    };
    if (this.spools === undefined) {
      batch.body = this.#open.take();
      this.#push(batch);
    } else {
      this.#sealing.add(batch);
      this.spools.journal.seal(batch, () => this.#onDisk(batch));
      batch.body = this.#open.take();
      if (this.#settings.spool?.everyRecord === true) this.spools.journal.flushSync();
    }
    this.#sequence += 1;
  }

  /** The next batch to send; it is under way until it is given back or decided. */
  take(): Batch | undefined {
    const batch = this.#sealed.shift();
    if (batch !== undefined) this.#underWay.add(batch);
    return batch;
  }

  /** It comes first again. */
  giveBack(batch: Batch): void {
    this.giveBackQuietly(batch);
    this.#hooks.onReady();
  }

  /** The same, where it cannot be sent now. */
  giveBackQuietly(batch: Batch): void {
    this.#underWay.delete(batch);
    if (batch.home !== undefined && this.#memory > this.#settings.queueBytesMax / 2) this.#release(batch);
    this.#sealed.unshift(batch);
  }

  async bodyOf(batch: Batch): Promise<Buffer> {
    if (batch.body !== undefined) return batch.body;
    const body = await batch.home?.read(batch);
    return this.#loaded(batch, body);
  }

  bodyOfSync(batch: Batch): Buffer {
    return batch.body ?? this.#loaded(batch, batch.home?.readSync(batch));
  }

  /** What becomes of it is known, and counted by the caller. */
  decide(batch: Batch): void {
    this.#underWay.delete(batch);
    const index = this.#sealed.indexOf(batch);
    if (index >= 0) this.#sealed.splice(index, 1);
    this.#release(batch);
    batch.home?.forget(batch);
    this.#stats.waiting -= batch.records;
    // Of the disk, if not of the memory.
    this.#tellRoom();
  }

  /** Two halves take its place, under sequences of their own: it was refused as a whole. */
  split(batch: Batch, body: Buffer): void {
    const records = batch.records >> 1;
    const cut = offsetAfter(body, records);
    const bodies = [Buffer.from(body.subarray(0, cut)), Buffer.from(body.subarray(cut))] as const;
    const half = (index: 0 | 1, count: number): Batch => ({
      producer: this.#settings.producer,
      sequence: this.#takeSequence(),
      records: count,
      bytes: bodies[index].length,
      body: bodies[index],
      home: undefined,
      place: undefined,
      attempts: 0,
    });
    const halves = [half(0, records), half(1, batch.records - records)] as const;
    this.#underWay.delete(batch);
    this.#release(batch);
    this.#memory += body.length;
    const ready = (): void => {
      this.#sealed.unshift(...halves);
      this.#hooks.onReady();
    };
    const { journal } = this.spools ?? {};
    if (journal === undefined || batch.home === undefined) {
      ready();
    } else if (batch.home === journal) {
      journal.split(batch, halves, bodies, ready);
    } else {
      // Of a spool that was taken over: were this process killed right here, it would be split and sent anew.
      batch.home.forget(batch);
      ready();
    }
  }

  /** Everything that is not decided, oldest first; for the end of the process. */
  undecided(): Batch[] {
    this.seal();
    this.spools?.flushSync();
    return [...this.#underWay, ...this.#sealed];
  }

  /** Records that are kept on disk. */
  onDisk(): number {
    const kept = [...this.#underWay, ...this.#sealed].filter((batch) => batch.home !== undefined);
    return kept.reduce((sum, batch) => sum + batch.records, 0);
  }

  /** Gives up what is in memory only, and counts it. */
  abandon(): number {
    const lost = this.undecided().filter((batch) => batch.home === undefined);
    for (const batch of lost) {
      this.decide(batch);
      this.#stats.dropped += batch.records;
      this.#stats.dropped_by.exit += batch.records;
    }
    return lost.reduce((sum, batch) => sum + batch.records, 0);
  }

  close(): void {
    clearTimeout(this.#age);
    this.spools?.closeSync();
  }

  /** A sequence for a half; the open batch moves on, as nothing of it is written under its own yet or it keeps it. */
  #takeSequence(): number {
    this.seal();
    return this.#sequence++;
  }

  #loaded(batch: Batch, body: Buffer | undefined): Buffer {
    if (body === undefined) throw new Error('a batch is neither in memory nor on disk');
    batch.body = body;
    this.#memory += body.length;
    return body;
  }

  #adopt(batches: readonly Batch[]): void {
    const records = batches.reduce((sum, batch) => sum + batch.records, 0);
    this.#stats.adopted += records;
    this.#stats.waiting += records;
    this.#sealed.unshift(...batches);
    this.#hooks.onReady();
  }

  #onDisk(batch: Batch): void {
    if (!this.#sealing.delete(batch)) return;
    // The newest is needed last: what is beyond half of the memory is read again when its turn comes.
    if (batch.home !== undefined && this.#memory > this.#settings.queueBytesMax / 2) this.#release(batch);
    this.#push(batch);
    this.#tellRoom();
  }

  #push(batch: Batch): void {
    this.#sealed.push(batch);
    this.#hooks.onReady();
  }

  /** A body that is on disk as well leaves the memory; or all of the batch does. */
  #release(batch: Batch): void {
    if (batch.body === undefined) return;
    this.#memory -= batch.body.length;
    batch.body = undefined;
    this.#tellRoom();
  }

  #startAge(): void {
    clearTimeout(this.#age);
    this.#age = setTimeout(() => this.seal(), this.#settings.batchAgeMs).unref();
  }

  #makeRoom(bytes: number): DropReason | undefined {
    while (this.#memory + bytes > this.#settings.queueBytesMax) {
      if (this.#releaseNewest()) continue;
      if (this.#settings.whenFull !== 'drop-oldest' || !this.#dropOldestInMemory()) return 'queue_full';
    }
    // A bound met within a batch is held at the next one.
    while (this.#open.records === 0 && !this.#spoolHasRoom()) {
      if (this.#settings.whenFull !== 'drop-oldest' || !this.#dropOldestOnDisk()) return 'spool_full';
    }
    return undefined;
  }

  #spoolHasRoom(): boolean {
    return this.spools === undefined || this.spools.hasRoom(this.#settings.batchBytes);
  }

  /** A body that is on disk as well can be read again when its turn comes: nothing is lost. */
  #releaseNewest(): boolean {
    for (let index = this.#sealed.length - 1; index >= 0; index--) {
      const batch = this.#sealed[index];
      if (batch?.body === undefined || batch.home === undefined) continue;
      this.#release(batch);
      return true;
    }
    return false;
  }

  #dropOldestInMemory(): boolean {
    const isUnsent = (batch: Batch): boolean => batch.attempts === 0 && batch.body !== undefined;
    let batch = this.#sealed.find(isUnsent);
    if (batch === undefined && this.spools === undefined) {
      this.seal();
      batch = this.#sealed.find(isUnsent);
    }
    if (batch === undefined) return false;
    this.#drop(batch, 'queue_full');
    return true;
  }

  #dropOldestOnDisk(): boolean {
    const dropped = this.spools?.dropOldest((batch) => batch.attempts === 0 && !this.#underWay.has(batch)) ?? [];
    if (dropped.length === 0) return false;
    const gone = new Set(dropped);
    this.#sealed = this.#sealed.filter((batch) => !gone.has(batch));
    for (const batch of dropped) {
      this.#release(batch);
      this.#count(batch, 'spool_full');
    }
    return true;
  }

  #drop(batch: Batch, reason: DropReason): void {
    this.#sealed.splice(this.#sealed.indexOf(batch), 1);
    this.#release(batch);
    this.#count(batch, reason);
  }

  #count(batch: Batch, reason: DropReason): void {
    this.#stats.waiting -= batch.records;
    this.#stats.dropped += batch.records;
    this.#stats.dropped_by[reason] += batch.records;
  }

  #tellRoom(): void {
    if (this.#roomFound === undefined || this.#memory >= this.#settings.queueBytesMax / 2) return;
    if (!this.#spoolHasRoom()) return;
    this.#roomFound();
    this.#room = undefined;
    this.#roomFound = undefined;
  }
}
