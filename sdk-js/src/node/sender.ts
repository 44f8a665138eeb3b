/**
 * Brings batches to the cluster: each until it is decided, over whatever nodes there are, under one identity, so that a
 * batch of which nobody knows whether it was stored can be sent again.
 */

import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { reasonOf } from '../core/json.js';
import type { Stats } from '../core/counters.js';
import { verdictOf, type Verdict } from '../core/verdict.js';
import { linesOf, type Batch } from './batch.js';
import type { Membership } from './membership.js';
import type { Nodes } from './nodes.js';
import type { DeadLetter } from './options.js';
import type { Parcel, Poster } from './post.js';
import { quietly } from './quiet.js';
import type { Store } from './store.js';

/** Below this a body fits a packet anyway. */
export const GZIP_FROM_BYTES = 1_024;
/** The server recognises a retry among the last 1,024 batches of a producer: none may fall behind that far. */
const SEQUENCES_AHEAD_MAX = 500;

const zip = promisify(gzip);

export interface SenderParts {
  readonly store: Store;
  readonly nodes: Nodes;
  readonly poster: Poster;
  readonly membership: Membership;
  readonly stats: Stats;
  readonly concurrency: number;
  readonly onDeadLetter: (letter: DeadLetter) => void;
  readonly onError: (error: Error) => void;
}

export class Sender {
  readonly #parts: SenderParts;
  readonly #underWay = new Map<Batch, number>();
  #wake: NodeJS.Timeout | undefined;
  #isStopped = false;
  #idle: (() => void)[] = [];

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Sends what there is. */
  pump(): void {
    const { store, nodes, concurrency } = this.#parts;
    while (!this.#isStopped && this.#underWay.size < concurrency) {
      if (nodes.waitMs() > 0) return this.#wakeLater(nodes.waitMs());
      const batch = store.take();
      if (batch === undefined) break;
      if (this.#isTooFarAhead(batch)) return store.giveBackQuietly(batch);
      const node = nodes.pick();
      // Nodes on trial are busy; their answer comes back here.
      if (node === undefined) return store.giveBackQuietly(batch);
      this.#underWay.set(batch, batch.sequence);
      void this.#send(batch, node).finally(() => this.pump());
    }
    if (store.isEmpty) this.#idle.splice(0).forEach((tell) => tell());
  }

  /** Resolves once nothing is left to send. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.pump();
    });
  }

  /** Asks everybody again at once: the process is about to end. */
  hurry(): void {
    this.#parts.nodes.tryAgain();
    this.pump();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#wake);
  }

  async #send(batch: Batch, node: NonNullable<ReturnType<Nodes['pick']>>): Promise<void> {
    const { nodes, poster, stats, store, membership } = this.#parts;
    let body: Buffer;
    let parcel: Parcel;
    try {
      body = await store.bodyOf(batch);
      parcel = await parcelOf(batch, body);
    } catch (error) {
      nodes.answered(node, node.meanMs);
      this.#underWay.delete(batch);
      return this.#unreadable(batch, error);
    }
    if (batch.attempts++ > 0) stats.retries += 1;
    stats.requests += 1;
    const sentAt = Date.now();
    const started = performance.now();
    let verdict: Verdict;
    try {
      const answer = await poster.post(node.url, parcel);
      membership.hear(node.url, answer.nodes);
      verdict = verdictOf(answer.status, answer.text, answer.retryAfter, batch.records, Date.now());
    } catch (error) {
      verdict = { kind: 'retry', reason: reasonOf(error), wholeCluster: false };
    }
    if (verdict.kind === 'retry') nodes.failed(node, sentAt, verdict.afterMs, verdict.wholeCluster);
    else nodes.answered(node, performance.now() - started);
    this.#underWay.delete(batch);
    if (!this.#isStopped) this.#settle(batch, body, verdict);
  }

  #settle(batch: Batch, body: Buffer, verdict: Verdict): void {
    const { store, onError } = this.#parts;
    switch (verdict.kind) {
      case 'stored':
        return this.#stored(batch, body, verdict);
      case 'retry':
        store.giveBack(batch);
        return onError(new Error(`a batch could not be delivered yet: ${verdict.reason}`));
      case 'split':
        if (batch.records > 1) return store.split(batch, body);
        return this.#refused(batch, body, verdict.reason);
      case 'refused':
        return this.#refused(batch, body, verdict.reason);
    }
  }

  #stored(batch: Batch, body: Buffer, verdict: Extract<Verdict, { kind: 'stored' }>): void {
    const { stats, store } = this.#parts;
    store.decide(batch);
    stats.stored += verdict.stored;
    stats.rejected += verdict.rejected;
    if (verdict.duplicate) stats.duplicate_batches += 1;
    if (verdict.refusals.length === 0) return;
    const lines = linesOf(body);
    for (const { position, reason, field } of verdict.refusals) {
      this.#deadLetter({ record: lines[position] ?? '', reason, ...(field === undefined ? {} : { field }) });
    }
  }

  #refused(batch: Batch, body: Buffer, reason: string): void {
    const { stats, store, onError } = this.#parts;
    store.decide(batch);
    stats.rejected += batch.records;
    onError(new Error(`${batch.records} records were refused: ${reason}`));
    for (const record of linesOf(body)) this.#deadLetter({ record, reason });
  }

  #unreadable(batch: Batch, error: unknown): void {
    const { stats, store, onError } = this.#parts;
    store.decide(batch);
    stats.dropped += batch.records;
    stats.dropped_by.unreadable += batch.records;
    onError(new Error(`${batch.records} records of the spool are lost: ${reasonOf(error)}`));
  }

  #deadLetter(letter: DeadLetter): void {
    // What the application logs about it is a record like any other, but not from within our own work.
    this.#parts.onDeadLetter(letter);
  }

  #isTooFarAhead(batch: Batch): boolean {
    for (const [other, sequence] of this.#underWay) {
      if (other.producer === batch.producer && batch.sequence - sequence > SEQUENCES_AHEAD_MAX) return true;
    }
    return false;
  }

  #wakeLater(ms: number): void {
    clearTimeout(this.#wake);
    this.#wake = setTimeout(() => this.pump(), Math.max(ms, 1)).unref();
  }
}

/** What goes over the wire. A retry is made anew from the same bytes. */
async function parcelOf(batch: Batch, body: Buffer): Promise<Parcel> {
  const { producer, sequence } = batch;
  if (body.length < GZIP_FROM_BYTES) return { producer, sequence, body, encoding: undefined };
  // The quickest level takes a tenth of what is left to win.
  const zipped = await quietly(() => zip(body, { level: constants.Z_BEST_SPEED }));
  return { producer, sequence, body: zipped, encoding: 'gzip' };
}
