/** One file of a spool and the batches in it; how a batch is read from it, and how a file of a dead process is read. */

import { readFile, open } from 'node:fs/promises';
import { closeSync, openSync, readSync } from 'node:fs';
import { linesOf, offsetAfter, type Batch } from '../batch.js';
import { framesOf, numbersOf, Type, FORMAT_VERSION } from './frame.js';

export interface Segment {
  readonly path: string;
  bytes: number;
  /** Batches that are not decided. */
  readonly live: Set<Batch>;
  /** Sequences of the others: they must be written down anew when the file that says so goes. */
  readonly forgotten: number[];
}

/** Where a batch lies: its records' frames, or one half of a split frame, between two offsets. */
export interface Place {
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
  readonly half?: 0 | 1;
}

export async function readBatch(batch: Batch): Promise<Buffer> {
  const place = batch.place as Place;
  const file = await open(place.segment.path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(place.end - place.start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, place.start);
    return bodyOf(bytes.subarray(0, bytesRead), batch);
  } finally {
    await file.close();
  }
}

export function readBatchSync(batch: Batch): Buffer {
  const place = batch.place as Place;
  const file = openSync(place.segment.path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(place.end - place.start);
    return bodyOf(bytes.subarray(0, readSync(file, bytes, 0, bytes.length, place.start)), batch);
  } finally {
    closeSync(file);
  }
}

function bodyOf(bytes: Buffer, batch: Batch): Buffer {
  const place = batch.place as Place;
  const parts: Buffer[] = [];
  for (const { type, payload } of framesOf(bytes)) {
    if (place.half !== undefined && type === Type.split) return halvesOf(payload)[place.half].body;
    if (place.half === undefined && type === Type.records && payload.readDoubleLE(0) === batch.sequence) {
      parts.push(payload.subarray(8));
    }
  }
  const body = Buffer.concat(parts);
  if (offsetAfter(body, batch.records) !== body.length || body.length !== batch.bytes) {
    throw new Error('a batch of the spool can no longer be read');
  }
  return body;
}

export interface Half {
  readonly sequence: number;
  readonly records: number;
  readonly body: Buffer;
}

/** A split frame: the sequence that is replaced, then sequence, records and bytes of each half, then the lines. */
export function halvesOf(payload: Buffer): [Half, Half] {
  const [, sequence0 = 0, records0 = 0, bytes0 = 0, sequence1 = 0, records1 = 0] = numbersOf(payload.subarray(0, 48));
  const lines = payload.subarray(48);
  return [
    { sequence: sequence0, records: records0, body: lines.subarray(0, bytes0) },
    { sequence: sequence1, records: records1, body: lines.subarray(bytes0) },
  ];
}

/** What a file of a process that is gone holds. */
export interface Contents {
  readonly producer: string | undefined;
  readonly batches: Omit<Batch, 'home'>[];
  readonly decided: number[];
  /** Bytes after the last good frame: cut off by a crash, or damaged. */
  readonly lostBytes: number;
}

export async function contentsOf(segment: Segment): Promise<Contents> {
  const bytes = await readFile(segment.path);
  segment.bytes = bytes.length;
  let producer: string | undefined;
  let end = 0;
  const decided: number[] = [];
  const found = new Map<number, Draft>();
  for (const { type, payload, start, end: next } of framesOf(bytes)) {
    end = next;
    if (type === Type.header) producer = producerOf(payload);
    else if (type === Type.records) addRecords(found, payload, start, next);
    else if (type === Type.seal) sealDraft(found, payload);
    else if (type === Type.forget) decided.push(...numbersOf(payload));
    else if (type === Type.split) {
      decided.push(payload.readDoubleLE(0));
      halvesOf(payload).forEach((half, index) => {
        found.set(half.sequence, { records: half.records, bytes: half.body.length, start, end: next, half: index as 0 | 1 });
      });
    }
  }
  const batches = [...found].map(([sequence, draft]) => ({
    producer: producer ?? '',
    sequence,
    records: draft.records,
    bytes: draft.bytes,
    body: undefined,
    place: placeOf(segment, draft),
    attempts: 0,
  }));
  return { producer, batches, decided, lostBytes: bytes.length - end };
}

interface Draft {
  records: number;
  bytes: number;
  readonly start: number;
  end: number;
  readonly half?: 0 | 1;
}

function placeOf(segment: Segment, { start, end, half }: Draft): Place {
  return half === undefined ? { segment, start, end } : { segment, start, end, half };
}

function addRecords(found: Map<number, Draft>, payload: Buffer, start: number, end: number): void {
  const sequence = payload.readDoubleLE(0);
  const lines = payload.subarray(8);
  const draft = found.get(sequence) ?? { records: 0, bytes: 0, start, end };
  draft.records += linesOf(lines).length;
  draft.bytes += lines.length;
  draft.end = end;
  found.set(sequence, draft);
}

/** The seal says what was sent; anything else found under its sequence is damage. */
function sealDraft(found: Map<number, Draft>, payload: Buffer): void {
  const [sequence = 0, records] = numbersOf(payload);
  const draft = found.get(sequence);
  if (draft !== undefined && draft.records !== records) found.delete(sequence);
}

function producerOf(payload: Buffer): string | undefined {
  const header: unknown = JSON.parse(payload.toString('utf8'));
  if (typeof header !== 'object' || header === null) return undefined;
  const { version, producer } = header as { version?: unknown; producer?: unknown };
  if (version !== FORMAT_VERSION) throw new Error(`the spool file has format ${String(version)}, this is ${FORMAT_VERSION}`);
  return typeof producer === 'string' && /^[\w-]{1,100}$/.test(producer) ? producer : undefined;
}
