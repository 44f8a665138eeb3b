/** One batch to one node. Never follows a redirect: the token is for the node alone. TLS is always verified. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { Options } from './options.js';
import { quieted, quietly } from './quiet.js';

/** Longer answers are not ours. */
const ANSWER_BYTES_MAX = 1 << 20;

export interface Parcel {
  readonly producer: string;
  readonly sequence: number;
  readonly body: Buffer;
  readonly encoding: 'gzip' | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
  /** Addresses of the cluster's nodes, where the node says them. */
  readonly nodes: string | undefined;
}

export interface Connection {
  readonly token: string | undefined;
  readonly ca: Options['ca'];
  readonly timeoutMs: number;
}

export class Poster {
  readonly #connection: Connection;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };

  constructor(connection: Connection) {
    this.#connection = connection;
    // `localhost` has two addresses, and a node may listen on one of them only.
    const keep = { keepAlive: true, maxSockets: 16, maxFreeSockets: 8, scheduling: 'lifo', autoSelectFamily: true } as const;
    const ca = connection.ca === undefined ? {} : { ca: connection.ca as string };
    this.#agents = { http: new http.Agent(keep), https: new https.Agent({ ...keep, ...ca, rejectUnauthorized: true }) };
  }

  post(node: string, parcel: Parcel): Promise<Answer> {
    const headers: Record<string, string | number> = {
      'content-type': 'application/x-ndjson',
      'content-length': parcel.body.length,
      'x-insighthub-producer': parcel.producer,
      'x-insighthub-sequence': parcel.sequence,
    };
    if (parcel.encoding !== undefined) headers['content-encoding'] = parcel.encoding;
    return this.#request(`${node}/api/logs`, 'POST', headers, parcel.body);
  }

  get(node: string, path: string): Promise<Answer> {
    return this.#request(`${node}${path}`, 'GET', {}, undefined);
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #request(url: string, method: string, headers: Record<string, string | number>, body: Buffer | undefined): Promise<Answer> {
    const isTls = url.startsWith('https:');
    const { token, timeoutMs } = this.#connection;
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    return quietly(() => new Promise<Answer>((resolve, reject) => {
      const agent = isTls ? this.#agents.https : this.#agents.http;
      const request = quieted((isTls ? https : http).request(url, { method, headers, agent }));
      const late = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs).unref();
      const fail = (error: Error): void => {
        clearTimeout(late);
        reject(new Error(`${url}: ${error.message}`));
      };
      request.on('error', fail);
      // What is under way must not keep a process alive; who waits for it holds a timer.
      request.on('socket', (socket) => socket.unref());
      request.on('response', (response) => {
        read(quieted(response)).then((text) => {
          clearTimeout(late);
          const header = (name: string): string | undefined => response.headers[name] as string | undefined;
          resolve({ status: response.statusCode ?? 0, text, retryAfter: header('retry-after'), nodes: header('x-insighthub-nodes') });
        }, fail);
      });
      request.end(body);
    }));
  }
}

function read(response: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    response.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error('the answer is too long'));
      else pieces.push(piece);
    });
    response.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    response.on('aborted', () => reject(new Error('the answer was cut off')));
    response.on('error', reject);
  });
}
