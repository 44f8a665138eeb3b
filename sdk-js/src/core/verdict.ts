/** What an answer of the server means for a batch. Pure; shared by all senders, the browser's too. */

import { retryAfterMs } from './backoff.js';

/** A record the server refused, by its place in the batch. */
export interface Refusal {
  readonly position: number;
  readonly reason: string;
  readonly field?: string;
}

export type Verdict =
  | { readonly kind: 'stored'; readonly stored: number; readonly rejected: number; readonly refusals: readonly Refusal[]; readonly duplicate: boolean }
  /** Not now: `wholeCluster` where another node would say the same. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number; readonly wholeCluster: boolean }
  /** Not as it is. */
  | { readonly kind: 'split'; readonly reason: string }
  /** Never. */
  | { readonly kind: 'refused'; readonly reason: string };

interface Reply {
  readonly status?: string;
  readonly accepted?: number;
  readonly rejected?: number;
  readonly duplicate?: boolean;
  readonly rejections?: readonly { readonly position?: number; readonly reason?: string; readonly field?: string | null }[];
  readonly error?: { readonly code?: string; readonly message?: string };
}

export function verdictOf(status: number, text: string, retryAfter: string | undefined | null, records: number, now: number): Verdict {
  const reply = parsed(text);
  const reason = `${status}${reply.error?.message === undefined ? '' : `: ${reply.error.message}`}`;
  if (status >= 200 && status < 300) {
    // Something else may answer at this address: a portal, a proxy's page. It has stored nothing.
    if (typeof reply.status === 'string') return receipt(reply, records);
    return { kind: 'retry', reason: `${status}, but not from InsightHub`, wholeCluster: false };
  }
  if (status === 400 && reply.error?.code === 'record_rejected') return receipt({ ...reply, accepted: 0, rejected: records }, records);
  if (status === 400 || status === 413 || status === 422) return { kind: 'split', reason };
  if (status === 409) return { kind: 'refused', reason };
  const afterMs = retryAfterMs(retryAfter, now);
  // A service's own limit holds in the whole cluster, and so does a token that is refused.
  const wholeCluster = reply.error?.code === 'rate_limited' || status === 401 || status === 403;
  return { kind: 'retry', reason, wholeCluster, ...(afterMs === undefined ? {} : { afterMs }) };
}

function receipt(reply: Reply, records: number): Verdict {
  const rejected = Math.min(reply.rejected ?? 0, records);
  const refusals = (Array.isArray(reply.rejections) ? reply.rejections : []).map((rejection) => ({
    position: Number(rejection.position ?? 0),
    reason: String(rejection.reason ?? 'refused'),
    ...(typeof rejection.field === 'string' ? { field: rejection.field } : {}),
  }));
  return { kind: 'stored', stored: records - rejected, rejected, refusals, duplicate: reply.duplicate === true };
}

function parsed(text: string): Reply {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
