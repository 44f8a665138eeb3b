/**
 * The nodes a client may send to: whom to ask next, whom to leave alone for how long. Decides by what the last requests
 * met; does no I/O.
 */

import { delayMs } from '../core/backoff.js';

/** How much the latest answer counts in a node's mean. */
const SHARE = 0.2;
/** A node that has not answered yet counts as this quick. */
const GUESS_MS = 50;

export interface Node {
  readonly url: string;
  /** Given by the application: it is never forgotten. */
  readonly isConfigured: boolean;
  failures: number;
  /** When it was seen to fail last. */
  failedAt: number;
  /** Not asked before. */
  notBefore: number;
  /** The server itself named the moment. */
  isTold: boolean;
  underWay: number;
  meanMs: number;
}

export class Nodes {
  #nodes: Node[];
  /** Nobody is asked before. */
  #allNotBefore = 0;
  readonly #now: () => number;
  readonly #dice: () => number;

  constructor(urls: readonly string[], now: () => number = Date.now, dice: () => number = Math.random) {
    this.#now = now;
    this.#dice = dice;
    this.#nodes = urls.map((url) => newNode(url, true));
  }

  get urls(): string[] {
    return this.#nodes.map((node) => node.url);
  }

  /** Healthy ones first: those that would be picked soonest. */
  get byHealth(): string[] {
    return [...this.#nodes].sort((one, other) => one.failures - other.failures || one.meanMs - other.meanMs).map((node) => node.url);
  }

  /** A node to ask now, the more likely the better it does; one that failed gets one request to show that it is back. */
  pick(): Node | undefined {
    const now = this.#now();
    if (now < this.#allNotBefore) return undefined;
    const able = this.#nodes.filter((node) => node.notBefore <= now && (node.failures === 0 || node.underWay === 0));
    const healthy = able.filter((node) => node.failures === 0);
    const weights = able.map((node) => weightOf(node, healthy.length > 0));
    let left = weights.reduce((sum, weight) => sum + weight, 0) * this.#dice();
    const index = weights.findIndex((weight) => (left -= weight) < 0);
    const node = able[index < 0 ? able.length - 1 : index];
    if (node !== undefined) node.underWay += 1;
    return node;
  }

  /** How long until somebody may be asked. */
  waitMs(): number {
    const soonest = Math.min(...this.#nodes.map((node) => node.notBefore));
    return Math.max(Math.max(soonest, this.#allNotBefore) - this.#now(), 0);
  }

  answered(node: Node, ms: number): void {
    node.underWay -= 1;
    node.failures = 0;
    node.notBefore = 0;
    node.meanMs += SHARE * (ms - node.meanMs);
  }

  /** It did not take a batch that was sent at `sentAt`; with `wholeCluster` no other would. */
  failed(node: Node, sentAt: number, afterMs: number | undefined, wholeCluster: boolean): void {
    node.underWay -= 1;
    // Requests that were under way together have met one failure, not several.
    if (sentAt < node.failedAt && node.failures > 0) return;
    node.failures += 1;
    node.failedAt = this.#now();
    const delay = Math.max(delayMs(node.failures, this.#dice), afterMs === undefined ? 0 : afterMs + delayMs(1, this.#dice));
    node.notBefore = this.#now() + delay;
    node.isTold = afterMs !== undefined;
    if (wholeCluster) this.#allNotBefore = node.notBefore;
  }

  /** The process is about to end: everybody is asked once more, but those that named a moment. */
  tryAgain(): void {
    for (const node of this.#nodes) if (!node.isTold) node.notBefore = 0;
  }

  /** Who belongs to the cluster by its own word. Configured nodes stay: they may be reached in another way. */
  learn(urls: readonly string[]): void {
    const known = new Map(this.#nodes.map((node) => [node.url, node]));
    const kept = this.#nodes.filter((node) => node.isConfigured || node.underWay > 0 || urls.includes(node.url));
    const fresh = urls.filter((url) => !known.has(url)).map((url) => newNode(url, false));
    this.#nodes = [...kept, ...fresh];
  }
}

function newNode(url: string, isConfigured: boolean): Node {
  return { url, isConfigured, failures: 0, failedAt: 0, notBefore: 0, isTold: false, underWay: 0, meanMs: GUESS_MS };
}

/** Quick and idle nodes get more; one on trial gets little while others are well. */
function weightOf(node: Node, othersAreWell: boolean): number {
  const weight = 1 / ((1 + node.underWay) * Math.max(node.meanMs, 1));
  return node.failures > 0 && othersAreWell ? weight / 20 : weight;
}
