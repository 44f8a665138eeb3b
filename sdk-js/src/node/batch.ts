/** Records that travel together under one identity, and the one that is being filled. Knows no disk and no network. */

/** Where a batch that is not in memory can be read. */
export interface Home {
  read(batch: Batch): Promise<Buffer>;
  readSync(batch: Batch): Buffer;
  /** The batch is decided: it must not come back. */
  forget(batch: Batch): void;
}

export interface Batch {
  readonly producer: string;
  readonly sequence: number;
  readonly records: number;
  readonly bytes: number;
  /** Lines of JSON; undefined while they are on disk only. */
  body: Buffer | undefined;
  /** Set once it is on disk. */
  home: Home | undefined;
  /** Where in its home; means nothing to others. */
  place: unknown;
  attempts: number;
}

const FIRST_BYTES = 16 << 10;

/** The batch that is being filled: text is copied into one buffer at once, so that its size is known exactly. */
export class OpenBatch {
  records = 0;
  bytes = 0;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);

  /** Adds a line and says what it took. */
  add(line: string): number {
    // Text takes three bytes a unit at most; the line break is one more.
    this.#reserve(line.length * 3 + 1);
    const written = this.#buffer.write(line, this.bytes, 'utf8');
    this.#buffer[this.bytes + written] = 0x0a;
    this.bytes += written + 1;
    this.records += 1;
    return written + 1;
  }

  /** A copy of what was added since. */
  since(start: number): Buffer {
    return Buffer.from(this.#buffer.subarray(start, this.bytes));
  }

  /** Everything; the batch is empty then. */
  take(): Buffer {
    const full = this.#buffer.subarray(0, this.bytes);
    // What is kept for long must not hold twice its size; what is nearly full is handed over as it is.
    const isTight = this.bytes * 4 >= this.#buffer.length * 3;
    const body = isTight ? full : Buffer.from(full);
    if (isTight) this.#buffer = Buffer.allocUnsafeSlow(this.#buffer.length);
    this.records = 0;
    this.bytes = 0;
    return body;
  }

  #reserve(more: number): void {
    const needed = this.bytes + more;
    if (needed <= this.#buffer.length) return;
    let size = this.#buffer.length;
    while (size < needed) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, this.bytes);
    this.#buffer = larger;
  }
}

/** The lines of a body, without their line breaks. */
export function linesOf(body: Buffer): string[] {
  const lines = body.toString('utf8').split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}

/** Where the body's first `records` lines end. */
export function offsetAfter(body: Buffer, records: number): number {
  let offset = 0;
  for (let line = 0; line < records; line++) {
    const end = body.indexOf(0x0a, offset);
    if (end < 0) return body.length;
    offset = end + 1;
  }
  return offset;
}
