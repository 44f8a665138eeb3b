/** What a client is told: checked once, with errors that name the option and an example. */

import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { VERSION } from '../core/version.js';

/** A record that was refused for good. */
export interface DeadLetter {
  /** The record as it was sent: one line of JSON. */
  readonly record: string;
  readonly reason: string;
  readonly field?: string;
}

export interface SpoolOptions {
  /** A directory of its own; several processes may share it. */
  readonly directory: string;
  /** Everything kept in it by this process, adopted records included: 64 MiB if not given. */
  readonly bytesMax?: number;
  /** Wait for the disk before a batch is sent: survives a power cut too, and costs a sync per batch. */
  readonly sync?: boolean;
  /** Write each record before `log` returns: survives `kill -9` right after it, at the price of a system call. */
  readonly everyRecord?: boolean;
}

export interface Options {
  /** Addresses of nodes; one is enough, the others are learnt. `INSIGHTHUB_NODES`, with commas between them. */
  readonly nodes?: string | readonly string[];
  /** `INSIGHTHUB_SERVICE`. */
  readonly service?: string;
  /** A service token, `ihs_...`. `INSIGHTHUB_TOKEN`. */
  readonly token?: string;
  /** `INSIGHTHUB_ENV`. */
  readonly env?: string;
  /** `INSIGHTHUB_REGION`. */
  readonly region?: string;
  readonly instanceId?: string;
  /** More members of every record. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Records of a lower level are not taken: `TRACE` if not given. */
  readonly level?: string;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** `INSIGHTHUB_SPOOL` is its directory. */
  readonly spool?: string | SpoolOptions | false;
  /** Memory for records that wait: 8 MiB if not given. */
  readonly queueBytesMax?: number;
  readonly whenFull?: 'drop-oldest' | 'drop-newest' | 'block';
  /** A batch is sent when it has so many records (1,000), so many bytes (512 KiB) or this age (1,000 ms). */
  readonly batchRecords?: number;
  readonly batchBytes?: number;
  readonly batchAgeMs?: number;
  /** Requests under way at once: 4 if not given. */
  readonly concurrency?: number;
  readonly requestTimeoutMs?: number;
  /** How long a process that ends waits for what is not delivered yet: 5,000 ms if not given. */
  readonly exitTimeoutMs?: number;
  /** Deliver on exit, signals and crashes: `true` if not given; `'exit'` leaves signals alone. */
  readonly lifecycle?: boolean | 'exit';
  /** Write a FATAL record for an exception nobody catches: `true` if not given. */
  readonly crashRecords?: boolean;
  /** Learn the other nodes of the cluster: `true` if not given. */
  readonly discover?: boolean;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** What this client has trouble with; without it one line a minute goes to stderr. */
  readonly onError?: (error: Error) => void;
}

export interface Spool {
  readonly directory: string;
  readonly bytesMax: number;
  readonly sync: boolean;
  readonly everyRecord: boolean;
}

export interface Settings {
  readonly nodes: readonly string[];
  readonly token: string | undefined;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly level: string;
  readonly ca: Options['ca'];
  readonly spool: Spool | undefined;
  readonly queueBytesMax: number;
  readonly whenFull: 'drop-oldest' | 'drop-newest' | 'block';
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly batchAgeMs: number;
  readonly concurrency: number;
  readonly requestTimeoutMs: number;
  readonly exitTimeoutMs: number;
  readonly lifecycle: boolean | 'exit';
  readonly crashRecords: boolean;
  readonly discover: boolean;
}

const NODES_EXAMPLE = "for example nodes: ['http://localhost:8000']";

export function settingsOf(options: Options): Settings {
  const env = process.env;
  const queueBytesMax = whole('queueBytesMax', options.queueBytesMax ?? 8 << 20, 64 << 10, 1 << 30);
  const producer = `js-${randomUUID()}`;
  // Batches under way are never dropped: they must leave room for others.
  const batchBytesMax = Math.floor(queueBytesMax / 16);
  return {
    nodes: nodesOf(options.nodes ?? env['INSIGHTHUB_NODES']),
    token: tokenOf(options.token ?? env['INSIGHTHUB_TOKEN']),
    producer,
    metadata: metadataOf(options, producer),
    level: options.level ?? 'TRACE',
    ca: options.ca,
    spool: spoolOf(options.spool ?? env['INSIGHTHUB_SPOOL']),
    queueBytesMax,
    whenFull: oneOf('whenFull', options.whenFull ?? 'drop-oldest', ['drop-oldest', 'drop-newest', 'block']),
    batchRecords: whole('batchRecords', options.batchRecords ?? 1_000, 1, 50_000),
    batchBytes: Math.min(whole('batchBytes', options.batchBytes ?? 512 << 10, 1 << 10, 16 << 20), batchBytesMax),
    batchAgeMs: whole('batchAgeMs', options.batchAgeMs ?? 1_000, 1, 600_000),
    concurrency: whole('concurrency', options.concurrency ?? 4, 1, 8),
    requestTimeoutMs: whole('requestTimeoutMs', options.requestTimeoutMs ?? 15_000, 100, 120_000),
    exitTimeoutMs: whole('exitTimeoutMs', options.exitTimeoutMs ?? 5_000, 0, 120_000),
    lifecycle: options.lifecycle ?? true,
    crashRecords: options.crashRecords ?? true,
    discover: options.discover ?? true,
  };
}

export function nodesOf(given: string | readonly string[] | undefined): readonly string[] {
  const list = typeof given === 'string' ? given.split(',') : (given ?? []);
  const nodes = list.map((text) => addressOf(text.trim())).filter((node) => node !== '');
  if (nodes.length === 0) throw new TypeError(`insighthub: nodes is missing: ${NODES_EXAMPLE}`);
  return [...new Set(nodes)];
}

function addressOf(text: string): string {
  if (text === '') return '';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError(`insighthub: a node's address cannot be read: ${NODES_EXAMPLE}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`insighthub: a node's address must begin with http:// or https://: ${NODES_EXAMPLE}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('insighthub: a node\'s address must not hold a password: use token');
  }
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

function tokenOf(token: string | undefined): string | undefined {
  if (token === undefined || token === '') return undefined;
  // The value stays out of the message.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('insighthub: token holds spaces or other characters that no token has');
  return token;
}

function metadataOf(options: Options, producer: string): Record<string, unknown> {
  const env = process.env;
  const service = options.service ?? env['INSIGHTHUB_SERVICE'];
  if (typeof service !== 'string' || service === '' || Buffer.byteLength(service) > 128) {
    throw new TypeError("insighthub: service must be a text of 1 to 128 bytes, for example service: 'checkout'");
  }
  const metadata: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(options.metadata ?? {})) metadata[name] = options.metadata?.[name];
  metadata['service'] = service;
  metadata['instance_id'] = options.instanceId ?? producer.slice(3, 11);
  metadata['host'] = hostname();
  metadata['pid'] = process.pid;
  metadata['sdk'] = `insighthub-js/${VERSION}`;
  for (const [name, value] of [
    ['env', options.env ?? env['INSIGHTHUB_ENV']],
    ['region', options.region ?? env['INSIGHTHUB_REGION']],
  ] as const) {
    if (value !== undefined && value !== '') metadata[name] = value;
  }
  return metadata;
}

function spoolOf(spool: Options['spool']): Spool | undefined {
  if (spool === undefined || spool === false || spool === '') return undefined;
  const given: SpoolOptions = typeof spool === 'string' ? { directory: spool } : spool;
  return {
    directory: given.directory,
    bytesMax: whole('spool.bytesMax', given.bytesMax ?? 64 << 20, 1 << 20, 64 * 2 ** 30),
    sync: given.sync ?? false,
    everyRecord: given.everyRecord ?? false,
  };
}

function whole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`insighthub: ${name} must be a whole number from ${min} to ${max}, got ${value}`);
}

function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw new TypeError(`insighthub: ${name} must be one of ${choices.join(', ')}, got ${String(value)}`);
}
