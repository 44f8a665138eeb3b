/**
 * Learns the other nodes of the cluster: from the header `X-InsightHub-Nodes` of any answer, and where there is none
 * from `GET /api/cluster`, which needs the right to read.
 */

import type { Nodes } from './nodes.js';
import type { Poster } from './post.js';

const ASK_EVERY_MS = 60_000;
/** After a node has said that we may not know. */
const REFUSED_FOR_MS = 600_000;
/** More than any cluster has: a wrong answer must not fill the memory. */
const NODES_MAX = 100;

export class Membership {
  readonly #nodes: Nodes;
  readonly #poster: Poster;
  readonly #isOn: boolean;
  #askAt = 0;
  #isAsking = false;

  constructor(nodes: Nodes, poster: Poster, isOn: boolean) {
    this.#nodes = nodes;
    this.#poster = poster;
    this.#isOn = isOn;
  }

  /** A node has answered; what it says of the others may come with it. */
  hear(node: string, header: string | undefined): void {
    if (!this.#isOn) return;
    if (header !== undefined) {
      this.#askAt = Date.now() + ASK_EVERY_MS;
      this.#nodes.learn(addresses(header.split(','), node));
    } else if (!this.#isAsking && Date.now() >= this.#askAt) {
      this.#isAsking = true;
      void this.#ask(node).finally(() => {
        this.#isAsking = false;
      });
    }
  }

  async #ask(node: string): Promise<void> {
    this.#askAt = Date.now() + ASK_EVERY_MS;
    try {
      const answer = await this.#poster.get(node, '/api/cluster');
      if (answer.status >= 400 && answer.status < 500) this.#askAt = Date.now() + REFUSED_FOR_MS;
      if (answer.status !== 200) return;
      this.#nodes.learn(addresses(ofView(JSON.parse(answer.text)), node));
    } catch {
      // The nodes that are known do.
    }
  }
}

function ofView(view: unknown): string[] {
  const nodes = (view as { nodes?: unknown }).nodes;
  if (!Array.isArray(nodes)) return [];
  return nodes.map((entry: { http?: unknown }) => (typeof entry?.http === 'string' ? entry.http : ''));
}

/** Addresses that can be reached in the way the node that named them was: the token goes nowhere else. */
export function addresses(named: readonly string[], by: string): string[] {
  const protocol = by.startsWith('https:') ? 'https:' : 'http:';
  const found = new Set<string>();
  for (const text of named.slice(0, NODES_MAX)) {
    const address = text.trim();
    if (address === '') continue;
    try {
      const url = new URL(address.includes('://') ? address : `${protocol}//${address}`);
      const isWildcard = url.hostname === '0.0.0.0' || url.hostname === '[::]';
      if (url.protocol === protocol && !isWildcard && url.username === '') found.add(`${url.protocol}//${url.host}`);
    } catch {
      // A name that is no address.
    }
  }
  return [...found];
}
