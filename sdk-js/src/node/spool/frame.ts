/**
 * Frames of a spool file: `IH`, type, zero, length, CRC32, payload. Numbers are little-endian.
 *
 * A file is only ever appended to. What a crash cuts off fails its checksum and ends the file.
 */

import * as zlib from 'node:zlib';

export const Type = { header: 1, records: 2, seal: 3, forget: 4, split: 5 } as const;

export const HEADER_BYTES = 12;
const MAGIC_0 = 0x49;
const MAGIC_1 = 0x48;
/** A length beyond this is damage, not a frame. */
const PAYLOAD_BYTES_MAX = 64 << 20;
export const FORMAT_VERSION = 1;

export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
  /** Where the frame begins, and where the next does. */
  readonly start: number;
  readonly end: number;
}

export function frame(type: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  bytes[0] = MAGIC_0;
  bytes[1] = MAGIC_1;
  bytes[2] = type;
  bytes[3] = 0;
  bytes.writeUInt32LE(length, 4);
  let offset = HEADER_BYTES;
  for (const part of parts) offset += part.copy(bytes, offset);
  bytes.writeUInt32LE(checksum(bytes), 8);
  return bytes;
}

/** The frames of a file up to the first that is cut off or damaged. */
export function* framesOf(bytes: Buffer, from = 0): Generator<Frame> {
  let start = from;
  while (start + HEADER_BYTES <= bytes.length) {
    if (bytes[start] !== MAGIC_0 || bytes[start + 1] !== MAGIC_1) return;
    const length = bytes.readUInt32LE(start + 4);
    const end = start + HEADER_BYTES + length;
    if (length > PAYLOAD_BYTES_MAX || end > bytes.length) return;
    const whole = bytes.subarray(start, end);
    if (checksum(whole) !== whole.readUInt32LE(8)) return;
    yield { type: whole[2] ?? 0, payload: whole.subarray(HEADER_BYTES), start, end };
    start = end;
  }
}

/** Numbers up to 2^53, as a producer's sequences are. */
export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 8);
  values.forEach((value, index) => bytes.writeDoubleLE(value, index * 8));
  return bytes;
}

export function numbersOf(bytes: Buffer): number[] {
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) => bytes.readDoubleLE(index * 8));
}

/** Of type, length and payload: everything but the magic and the sum itself. */
function checksum(whole: Buffer): number {
  return crc32(whole.subarray(HEADER_BYTES), crc32(whole.subarray(2, 8)));
}

type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** Node has it from 20.15 on. */
const crc32: Crc32 = (zlib as unknown as { crc32?: Crc32 }).crc32 ?? byTable();

function byTable(): Crc32 {
  const table = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  return (bytes, seed = 0) => {
    let value = ~seed;
    for (let index = 0; index < bytes.length; index++) {
      value = (value >>> 8) ^ (table[(value ^ (bytes[index] ?? 0)) & 0xff] ?? 0);
    }
    return ~value >>> 0;
  };
}
