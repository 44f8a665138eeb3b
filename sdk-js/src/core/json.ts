/**
 * Any JavaScript value as JSON text: never throws, whatever getters, cycles or proxies it is made of.
 *
 * Text is written member by member and never merged into an object, so that a member called `__proto__` is a
 * member like any other.
 */

/** The server takes 16 levels of a record; fields are the first of them. */
const DEPTH_MAX = 12;
/** Members of one object or array; the server takes 512 fields of a record. */
const MEMBERS_MAX = 500;
/** Names that come again and again are quoted once. */
const NAMES_KEPT = 1_000;

const names = new Map<string, string>();

/** A text in quotes. */
export const quote = (text: string): string => JSON.stringify(text);

/** A member's name in quotes, with its colon. */
export function quotedName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const text = `${quote(name)}:`;
  if (names.size < NAMES_KEPT && name.length <= 64) names.set(name, text);
  return text;
}

/** The value as JSON, or undefined where JSON has no form for it. */
export function jsonOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : quote(String(value));
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? 'null' : guarded(value, []);
    default:
      return undefined;
  }
}

function guarded(value: object, within: object[]): string {
  try {
    return objectText(value, within);
  } catch (error) {
    return quote(`[unreadable: ${reasonOf(error)}]`);
  }
}

function objectText(value: object, within: object[]): string {
  if (within.includes(value)) return '"[circular]"';
  if (within.length >= DEPTH_MAX) return '"[too deep]"';
  within.push(value);
  try {
    if (value instanceof Error) return errorText(value, within);
    if (Array.isArray(value)) return arrayText(value, within);
    if (value instanceof Map) return arrayText([...value.entries()].slice(0, MEMBERS_MAX), within);
    if (value instanceof Set) return arrayText([...value].slice(0, MEMBERS_MAX), within);
    if (ArrayBuffer.isView(value)) return quote(`[${value.byteLength} bytes]`);
    const toJson = (value as { toJSON?: unknown }).toJSON;
    if (typeof toJson === 'function') return nested(toJson.call(value), within) ?? 'null';
    return membersText(value, within);
  } finally {
    within.pop();
  }
}

function nested(value: unknown, within: object[]): string | undefined {
  return typeof value === 'object' && value !== null ? guarded(value, within) : jsonOf(value);
}

function membersText(value: object, within: object[]): string {
  let text = '';
  let members = 0;
  for (const name of Object.keys(value)) {
    const member = nested((value as Record<string, unknown>)[name], within);
    if (member === undefined) continue;
    if (++members > MEMBERS_MAX) break;
    text += `${text === '' ? '' : ','}${quotedName(name)}${member}`;
  }
  return `{${text}}`;
}

function arrayText(values: readonly unknown[], within: object[]): string {
  const shown = values.slice(0, MEMBERS_MAX).map((value) => nested(value, within) ?? 'null');
  if (values.length > MEMBERS_MAX) shown.push(quote(`[${values.length - MEMBERS_MAX} more]`));
  return `[${shown.join(',')}]`;
}

function errorText(error: Error, within: object[]): string {
  let text = `{"name":${quote(String(error.name))},"message":${quote(String(error.message))}`;
  if (typeof error.stack === 'string') text += `,"stack":${quote(error.stack)}`;
  if (error.cause !== undefined) text += `,"cause":${nested(error.cause, within) ?? 'null'}`;
  for (const name of Object.keys(error)) {
    if (name === 'name' || name === 'message' || name === 'stack' || name === 'cause') continue;
    const member = nested((error as unknown as Record<string, unknown>)[name], within);
    if (member !== undefined) text += `,${quotedName(name)}${member}`;
  }
  return `${text}}`;
}

/** What an error says, without trusting it. */
export function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}
