/** One record as a line of NDJSON. Pure: the moment and the metadata are given to it. */

import { jsonOf, quote, quotedName, reasonOf } from './json.js';
import type { Level } from './level.js';

/** What the application adds to a record. */
export type Fields = Readonly<Record<string, unknown>> | Error;

/** Members that every record of a client has, written once. */
export interface Base {
  /** `,"service":"checkout","host":"a"`. */
  readonly text: string;
  readonly members: ReadonlyMap<string, string>;
}

/** A longer message is cut where the record would be refused as a whole. */
const MESSAGE_CHARS_KEPT = 64 * 1024;

export function baseOf(metadata: Readonly<Record<string, unknown>>): Base {
  const members = new Map<string, string>();
  for (const name of Object.keys(metadata)) {
    const value = jsonOf(metadata[name]);
    if (value !== undefined) members.set(name, value);
  }
  return { text: textOf(members), members };
}

/** A base with more members, which win over those of the same name. */
export function extended(base: Base, fields: Fields): Base {
  const members = new Map(base.members);
  for (const [name, value] of baseOf(plain(fields)).members) members.set(placeOf(name), value);
  return { text: textOf(members), members };
}

function textOf(members: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of members) text += `,${quotedName(name)}${value}`;
  return text;
}

/** The record's line, without its line break. Never throws. */
export function lineOf(moment: string, level: Level, message: unknown, fields: Fields | undefined, base: Base): string {
  try {
    return wellFormed(written(moment, level, message, fields, base));
  } catch (error) {
    return headOf(moment, level, `[a record that cannot be read: ${reasonOf(error)}]`) + base.text + '}';
  }
}

/** What is sent of a record that is too large: its message, cut, and what it took. */
export function cutLineOf(moment: string, level: Level, message: unknown, base: Base, chars: number): string {
  const text = messageOf(message).slice(0, MESSAGE_CHARS_KEPT);
  return wellFormed(`${headOf(moment, level, text)},"truncated_chars":${chars}${base.text}}`);
}

function written(moment: string, level: Level, message: unknown, fields: Fields | undefined, base: Base): string {
  const head = headOf(moment, level, messageOf(message));
  if (fields === undefined && !(message instanceof Error)) return `${head}${base.text}}`;
  let text = message instanceof Error ? `,"error":${jsonOf(message) ?? 'null'}` : '';
  const given = plain(fields);
  for (const name of Object.keys(given)) {
    if (isTaken(name, base) || (text !== '' && message instanceof Error && name === 'error')) {
      return mergedLine(moment, level, message, given, base);
    }
    const value = memberOf(given, name);
    if (value !== undefined) text += `,${quotedName(name)}${value}`;
  }
  return `${head}${text}${base.text}}`;
}

/** A name must not come twice in a record: the application's members win over the metadata. */
function mergedLine(
  moment: string,
  level: Level,
  message: unknown,
  fields: Readonly<Record<string, unknown>>,
  base: Base,
): string {
  const members = new Map(base.members);
  if (message instanceof Error) members.set('error', jsonOf(message) ?? 'null');
  let at = moment;
  for (const name of Object.keys(fields)) {
    const value = memberOf(fields, name);
    if (value === undefined) continue;
    if (name === 'timestamp') at = momentOf(fields[name]) ?? moment;
    else members.set(placeOf(name), value);
  }
  return `${headOf(at, level, messageOf(message))}${textOf(members)}}`;
}

/** A getter that throws costs its own member. */
function memberOf(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  try {
    return jsonOf(fields[name]);
  } catch (error) {
    return quote(`[unreadable: ${reasonOf(error)}]`);
  }
}

/** Half a surrogate pair is an escape in JSON, and no server takes it: `\\` stays what it is. */
function wellFormed(line: string): string {
  if (!line.includes('\\ud')) return line;
  return line.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (found) => (found === '\\\\' ? found : '\ufffd'));
}

function isTaken(name: string, base: Base): boolean {
  return name === 'timestamp' || name === 'level' || name === 'message' || base.members.has(name);
}

/** Level and message are arguments; fields of these names are something else, and kept under another name. */
function placeOf(name: string): string {
  return name === 'level' || name === 'message' || name === 'timestamp' ? `field.${name}` : name;
}

function momentOf(value: unknown): string | undefined {
  const date = value instanceof Date ? value : new Date(value as string | number);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

const headOf = (moment: string, level: Level, message: string): string =>
  `{"timestamp":"${moment}","level":"${level}","message":${quote(message)}`;

function messageOf(message: unknown): string {
  if (typeof message === 'string') return message;
  if (message instanceof Error) return String(message.message) || String(message.name);
  return jsonOf(message) ?? String(message);
}

function plain(fields: Fields | undefined): Readonly<Record<string, unknown>> {
  if (fields === undefined || fields === null) return {};
  if (fields instanceof Error) return { error: fields };
  return typeof fields === 'object' ? fields : { value: fields };
}
