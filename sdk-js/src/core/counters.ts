/** What became of every record. The books close: emitted + adopted = stored + rejected + dropped + waiting. */

/** Why a record was dropped. */
export type DropReason = 'queue_full' | 'spool_full' | 'exit' | 'closed' | 'unreadable';

export interface Stats {
  /** Given to this client, the client's own reports of losses included. */
  emitted: number;
  /** Found in the spool of a process that is gone. */
  adopted: number;
  /** The server said that it has them. */
  stored: number;
  /** The server refused them, one by one, and said why. */
  rejected: number;
  /** Lost here, by the reasons in `dropped_by`. */
  dropped: number;
  dropped_by: Record<DropReason, number>;
  /** Not decided yet. */
  waiting: number;
  /** Of `waiting`: kept on disk. */
  on_disk: number;
  /** Of `emitted`: reports of the client itself. */
  reports: number;
  /** Too large to be taken whole; sent with a cut message. */
  truncated: number;
  /** Batches that the server had already: retries that were not stored twice. */
  duplicate_batches: number;
  requests: number;
  retries: number;
}

export function emptyStats(): Stats {
  return {
    emitted: 0,
    adopted: 0,
    stored: 0,
    rejected: 0,
    dropped: 0,
    dropped_by: { queue_full: 0, spool_full: 0, exit: 0, closed: 0, unreadable: 0 },
    waiting: 0,
    on_disk: 0,
    reports: 0,
    truncated: 0,
    duplicate_batches: 0,
    requests: 0,
    retries: 0,
  };
}
