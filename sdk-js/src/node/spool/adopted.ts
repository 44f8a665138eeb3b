/** The spool of a process that is gone: its batches go out under their own identities, then its directory goes. */

import { appendFile, readdir, rm, unlink } from 'node:fs/promises';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch, Home } from '../batch.js';
import { frame, numbers, Type } from './frame.js';
import { contentsOf, readBatch, readBatchSync, type Place, type Segment } from './segment.js';

/** Sorts behind all others; only says what is decided. */
const DECIDED_FILE = '99999999.seg';

export class Adopted implements Home {
  readonly segments: Segment[] = [];
  lostBytes = 0;
  readonly #directory: string;
  #decided: number[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** The batches that were not decided, oldest first. */
  async load(): Promise<Batch[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.seg')).sort();
    const batches = new Map<number, Batch>();
    const decided = new Set<number>();
    for (const name of names) {
      const segment: Segment = { path: join(this.#directory, name), bytes: 0, live: new Set(), forgotten: [] };
      const contents = await contentsOf(segment);
      this.lostBytes += contents.lostBytes;
      if (name !== DECIDED_FILE) this.segments.push(segment);
      contents.decided.forEach((sequence) => decided.add(sequence));
      if (contents.producer === undefined) continue;
      for (const found of contents.batches) batches.set(found.sequence, { ...found, home: this });
    }
    const waiting = [...batches.values()].filter((batch) => !decided.has(batch.sequence));
    for (const batch of waiting) (batch.place as Place).segment.live.add(batch);
    if (waiting.length === 0) await this.#removeAll();
    return waiting.sort((one, other) => one.sequence - other.sequence);
  }

  read(batch: Batch): Promise<Buffer> {
    return readBatch(batch);
  }

  readSync(batch: Batch): Buffer {
    return readBatchSync(batch);
  }

  forget(batch: Batch): void {
    (batch.place as Place).segment.live.delete(batch);
    this.#decided.push(batch.sequence);
    this.#writing = this.#writing.then(() => this.#write());
  }

  flushSync(): void {
    const bytes = this.#decidedFrame();
    if (bytes !== undefined) appendFileSync(join(this.#directory, DECIDED_FILE), bytes, { mode: 0o600 });
  }

  /** Gives up a whole file; its batches are decided already. */
  remove(segment: Segment): void {
    this.segments.splice(this.segments.indexOf(segment), 1);
    void unlink(segment.path).catch(() => undefined);
  }

  async #write(): Promise<void> {
    const bytes = this.#decidedFrame();
    if (bytes === undefined) return;
    try {
      if (this.segments.every((segment) => segment.live.size === 0)) await this.#removeAll();
      else await appendFile(join(this.#directory, DECIDED_FILE), bytes, { mode: 0o600 });
    } catch {
      // Then a batch is sent again one day, under its identity.
    }
  }

  #decidedFrame(): Buffer | undefined {
    if (this.#decided.length === 0) return undefined;
    return frame(Type.forget, numbers(...this.#decided.splice(0)));
  }

  async #removeAll(): Promise<void> {
    this.segments.length = 0;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
