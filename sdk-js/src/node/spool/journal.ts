/**
 * The spool of this process: every record is appended to a file soon after it was logged, a batch is sealed under its
 * sequence before it is sent, and struck off once it is decided.
 *
 * Nobody waits for the disk but the sender; at exit what is left is written at once. Bound: `Spools` holds it.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Batch, Home, OpenBatch } from '../batch.js';
import { frame, FORMAT_VERSION, numbers, Type } from './frame.js';
import { readBatch, readBatchSync, type Place, type Segment } from './segment.js';

/** After the disk has refused to write. */
const PAUSE_MS = 5_000;

interface Write {
  readonly segment: OwnSegment;
  readonly bytes: Buffer;
  readonly position: number;
  /** Told once the bytes are written, or cannot be. */
  readonly done: ((written: boolean) => void) | undefined;
}

interface OwnSegment extends Segment {
  file: number | undefined;
}

export interface JournalOptions {
  readonly directory: string;
  readonly producer: string;
  readonly segmentBytes: number;
  readonly sync: boolean;
  readonly onError: (error: Error) => void;
}

export class Journal implements Home {
  readonly segments: OwnSegment[] = [];
  readonly #options: JournalOptions;
  readonly #open: OpenBatch;
  /** Sequence of the open batch. */
  readonly #sequence: () => number;
  /** Of the open batch: where it begins, and what of it is written or on the way. */
  #start: { segment: OwnSegment; position: number } | undefined;
  #spooled = 0;
  #pending: Write[] = [];
  #writing: Write[] = [];
  #struckOff: number[] = [];
  #number = 0;
  #isScheduled = false;
  #pausedUntil = 0;

  constructor(options: JournalOptions, open: OpenBatch, sequence: () => number) {
    this.#options = options;
    this.#open = open;
    this.#sequence = sequence;
    fs.mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  }

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** The disk refused lately: batches stay in memory. */
  get isPaused(): boolean {
    return this.#pausedUntil > Date.now();
  }

  /** The open batch has grown. */
  touch(): void {
    if (this.#isScheduled || this.#writing.length > 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#writeNext();
    });
  }

  /** Before the open batch is taken: it becomes this batch. `ready` is called once it may be sent. */
  seal(batch: Batch, ready: () => void): void {
    this.#addOpen();
    const start = this.#start;
    this.#start = undefined;
    this.#spooled = 0;
    if (start === undefined) return ready();
    const { segment } = start;
    const seal = frame(Type.seal, numbers(batch.sequence, batch.records));
    const place: Place = { segment, start: start.position, end: segment.bytes + seal.length };
    batch.place = place;
    segment.live.add(batch);
    this.#add(segment, seal, (written) => {
      if (written) batch.home = this;
      else segment.live.delete(batch);
      ready();
    });
    this.touch();
  }

  /** One frame says all: after a crash either the batch is there or its halves are. */
  split(batch: Batch, halves: readonly [Batch, Batch], bodies: readonly [Buffer, Buffer], ready: () => void): void {
    const [first, second] = halves;
    const head = numbers(batch.sequence, first.sequence, first.records, first.bytes, second.sequence, second.records);
    const bytes = frame(Type.split, head, ...bodies);
    const segment = this.#segment();
    const [start, end] = [segment.bytes, segment.bytes + bytes.length];
    halves.forEach((half, index) => {
      const place: Place = { segment, start, end, half: index as 0 | 1 };
      half.place = place;
      segment.live.add(half);
    });
    this.#strikeOff(batch, false);
    this.#add(segment, bytes, (written) => {
      if (written) halves.forEach((half) => { half.home = this; });
      ready();
    });
    this.touch();
  }

  read(batch: Batch): Promise<Buffer> {
    return readBatch(batch);
  }

  readSync(batch: Batch): Buffer {
    return readBatchSync(batch);
  }

  forget(batch: Batch): void {
    this.#strikeOff(batch, true);
    this.touch();
  }

  /** Writes everything before it returns: at exit, or for each record where that is asked for. */
  flushSync(): void {
    this.#addOpen();
    this.#addStruckOff();
    const writes = [...this.#writing, ...this.#pending];
    // What is under way is written a second time, to the same place.
    this.#writing = [];
    this.#pending = [];
    try {
      for (const write of writes) fs.writeSync(this.#fileSync(write.segment), write.bytes, 0, write.bytes.length, write.position);
      writes.forEach((write) => write.done?.(true));
    } catch (error) {
      this.#failed(error, writes);
    }
  }

  /** Nothing will be written any more; an empty spool leaves nothing behind. */
  closeSync(): void {
    const isEmpty = this.segments.every((segment) => segment.live.size === 0);
    for (const segment of this.segments) {
      if (segment.file !== undefined) quietly(() => fs.closeSync(segment.file as number));
      segment.file = undefined;
      if (isEmpty) quietly(() => fs.unlinkSync(segment.path));
    }
    if (isEmpty) {
      this.segments.length = 0;
      quietly(() => fs.rmdirSync(this.#options.directory));
    }
  }

  /** Gives up a whole file. */
  remove(segment: Segment): void {
    const index = this.segments.indexOf(segment as OwnSegment);
    const [removed] = index < 0 ? [] : this.segments.splice(index, 1);
    if (removed === undefined) return;
    // At most the word that batches are decided, which is repeated below.
    this.#pending = this.#pending.filter((write) => write.segment !== removed);
    if (!this.#writing.some((write) => write.segment === removed)) this.#close(removed);
    fs.unlink(removed.path, () => undefined);
    // It may have held the word that batches of older files are decided.
    for (const older of this.segments.slice(0, index)) this.#struckOff.push(...older.forgotten);
  }

  isCurrent(segment: Segment): boolean {
    return this.segments[this.segments.length - 1] === segment;
  }

  #strikeOff(batch: Batch, isWritten: boolean): void {
    const { segment } = batch.place as Place;
    segment.live.delete(batch);
    segment.forgotten.push(batch.sequence);
    if (isWritten) this.#struckOff.push(batch.sequence);
    if (segment.live.size === 0 && !this.isCurrent(segment)) this.remove(segment);
  }

  #addOpen(): void {
    if (this.#spooled >= this.#open.bytes || this.isPaused) return;
    const lines = this.#open.since(this.#spooled);
    this.#spooled = this.#open.bytes;
    this.#start ??= ((segment) => ({ segment, position: segment.bytes }))(this.#segment());
    this.#add(this.#start.segment, frame(Type.records, numbers(this.#sequence()), lines), undefined);
  }

  #addStruckOff(): void {
    const current = this.segments[this.segments.length - 1];
    if (this.#struckOff.length === 0 || current === undefined) return;
    this.#add(current, frame(Type.forget, numbers(...this.#struckOff)), undefined);
    this.#struckOff = [];
  }

  #add(segment: OwnSegment, bytes: Buffer, done: Write['done']): void {
    this.#pending.push({ segment, bytes, position: segment.bytes, done });
    segment.bytes += bytes.length;
  }

  /** The file that is appended to; a new one where it has its size and no batch is half in it. */
  #segment(): OwnSegment {
    const current = this.segments[this.segments.length - 1];
    if (current !== undefined && (current.bytes < this.#options.segmentBytes || this.#start !== undefined)) return current;
    const path = join(this.#options.directory, `${String(++this.#number).padStart(8, '0')}.seg`);
    const segment: OwnSegment = { path, bytes: 0, live: new Set(), forgotten: [], file: undefined };
    this.segments.push(segment);
    const header = JSON.stringify({ version: FORMAT_VERSION, producer: this.#options.producer });
    this.#add(segment, frame(Type.header, Buffer.from(header)), undefined);
    if (current !== undefined && current.live.size === 0) this.remove(current);
    return segment;
  }

  #writeNext(): void {
    if (this.#writing.length > 0) return;
    this.#addOpen();
    this.#addStruckOff();
    const segment = this.#pending[0]?.segment;
    if (segment === undefined) return;
    const count = this.#pending.findIndex((write) => write.segment !== segment);
    const writes = this.#pending.splice(0, count < 0 ? this.#pending.length : count);
    this.#writing = writes;
    this.#write(segment, writes).then(
      () => this.#written(writes, undefined),
      (error: unknown) => this.#written(writes, error),
    );
  }

  async #write(segment: OwnSegment, writes: readonly Write[]): Promise<void> {
    // Opening is quick and rare, and a file must not be opened twice.
    const file = this.#fileSync(segment);
    const bytes = writes.length === 1 ? writes[0]?.bytes : Buffer.concat(writes.map((write) => write.bytes));
    if (bytes === undefined) return;
    await written(file, bytes, writes[0]?.position ?? 0);
    if (this.#options.sync && writes.some((write) => write.done !== undefined)) await synced(file);
  }

  #written(writes: Write[], error: unknown): void {
    // Written at once meanwhile.
    if (this.#writing !== writes) return;
    this.#writing = [];
    const segment = writes[0]?.segment;
    if (segment !== undefined && !this.segments.includes(segment)) this.#close(segment);
    if (error === undefined) writes.forEach((write) => write.done?.(true));
    else this.#failed(error, [...writes, ...this.#pending.splice(0)]);
    this.#writeNext();
  }

  /** The batches stay in memory, the file is left as it is, and the disk is left alone for a while. */
  #failed(error: unknown, writes: readonly Write[]): void {
    this.#pausedUntil = Date.now() + PAUSE_MS;
    // What is written of the open batch stays there without a seal; the rest of it stays in memory.
    this.#start = undefined;
    this.#spooled = Infinity;
    const current = this.segments[this.segments.length - 1];
    if (current !== undefined) current.bytes = Math.max(current.bytes, this.#options.segmentBytes);
    this.#options.onError(new Error(`the spool cannot be written: ${error instanceof Error ? error.message : String(error)}`));
    writes.forEach((write) => write.done?.(false));
  }

  #close(segment: OwnSegment): void {
    if (segment.file !== undefined) fs.close(segment.file, () => undefined);
    segment.file = undefined;
  }

  #fileSync(segment: OwnSegment): number {
    if (segment.file === undefined) {
      // It is gone where the spool was closed empty, and something was logged after that.
      fs.mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 });
      segment.file = fs.openSync(segment.path, 'w', 0o600);
    }
    return segment.file;
  }
}

function written(file: number, bytes: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.write(file, bytes, 0, bytes.length, position, (error, count) => {
      if (error !== null) reject(error);
      else if (count < bytes.length) written(file, bytes.subarray(count), position + count).then(resolve, reject);
      else resolve();
    });
  });
}

function synced(file: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(file, (error) => (error === null ? resolve() : reject(error))));
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // It is gone already.
  }
}
