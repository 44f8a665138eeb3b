/** When to try again: full jitter below a doubling ceiling, and what `Retry-After` asks for. Pure but for its dice. */

/** The first ceiling. */
const FIRST_MS = 200;
export const CEILING_MS = 60_000;
/** A server that asks for more is asked again all the same: it may have been told to by mistake. */
const RETRY_AFTER_MS_MAX = 300_000;

/** A delay after so many failures in a row: anything up to the ceiling, so that clients do not come back together. */
export function delayMs(failures: number, dice: () => number = Math.random): number {
  const ceiling = Math.min(CEILING_MS, FIRST_MS * 2 ** Math.min(Math.max(failures - 1, 0), 20));
  return Math.max(10, Math.round(ceiling * dice()));
}

/** What the header asks for, in seconds or as a date. */
export function retryAfterMs(header: string | undefined | null, now: number): number | undefined {
  if (header === undefined || header === null || header.trim() === '') return undefined;
  const text = header.trim();
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX);
}
