/** What is logged of an HTTP request, by whatever framework it came. */

import type { Level } from '../core/level.js';

export interface RequestLogOptions {
  /** Requests that are not logged, such as health checks. */
  readonly skip?: (request: { readonly method: string; readonly path: string }) => boolean;
  /** A request above this is a WARN: 0, which is never, if not given. */
  readonly slowMs?: number;
}

export interface Served {
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  /** The pattern that matched, such as `/orders/:id`. */
  readonly route: string | undefined;
  readonly status: number;
  readonly latencyMs: number;
  readonly requestId: string | undefined;
  /** The client hung up before the answer was there. */
  readonly isAborted: boolean;
}

export const pathOf = (url: string): string => url.split('?', 1)[0] ?? url;

export function levelOfRequest({ status, latencyMs, isAborted }: Served, slowMs = 0): Level {
  if (status >= 500) return 'ERROR';
  return status >= 400 || isAborted || (slowMs > 0 && latencyMs > slowMs) ? 'WARN' : 'INFO';
}

export function fieldsOf(served: Served): Record<string, unknown> {
  return {
    method: served.method,
    path: served.path,
    route: served.route,
    status: served.status,
    latency_ms: Math.round(served.latencyMs * 1_000) / 1_000,
    request_id: served.requestId,
    aborted: served.isAborted || undefined,
  };
}
