/**
 * Whose a spool directory is: `PRODUCER.HOST.PID.START`, in its name, so that taking over a dead process's spool is one
 * atomic rename that only one can win.
 *
 * A process of this machine lives while its id and start time are found; one of another machine (or container) while it
 * touches its directory.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A living owner touches its directory this often. */
export const TOUCH_EVERY_MS = 5_000;
/** An owner on another machine that is silent for so long is gone. */
const SILENT_FOR_MS = 60_000;

/** Names of hosts hold dots and may be long. */
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 12);
let claims = 0;

/** The name of a directory of this process. */
export function ownName(producer: string): string {
  return `${producer}.${host}.${process.pid}.${startOf(process.pid) ?? 0}`;
}

/** Directories whose owner is gone. */
export async function orphans(root: string, own: ReadonlySet<string>): Promise<string[]> {
  const names = await readdir(root).catch(() => []);
  const orphaned = await Promise.all(names.map(async (name) => !own.has(name) && (await isOrphan(root, name))));
  return names.filter((_, index) => orphaned[index]);
}

/** Takes a directory over; undefined where another process was quicker. */
export async function claim(root: string, name: string): Promise<string | undefined> {
  const producer = name.split('.')[0] ?? name;
  const mine = `${ownName(producer)}.${++claims}`;
  return rename(join(root, name), join(root, mine)).then(() => mine, () => undefined);
}

async function isOrphan(root: string, name: string): Promise<boolean> {
  const [producer, ownerHost, pid, start] = name.split('.');
  if (producer === undefined || ownerHost === undefined || !/^\d+$/.test(pid ?? '') || start === undefined) return false;
  if (ownerHost === host) return !isAlive(Number(pid), Number(start));
  const found = await stat(join(root, name)).catch(() => undefined);
  return found !== undefined && found.mtimeMs < Date.now() - SILENT_FOR_MS;
}

function isAlive(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  return now === undefined || start === 0 || now === start;
}

/** When a process began, in ticks since boot; undefined where the system does not say. */
function startOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may hold any character.
    const state = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie runs no more.
    return state[0] === 'Z' ? -1 : Number(state[19]);
  } catch {
    return undefined;
  }
}
