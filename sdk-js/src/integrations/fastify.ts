/** Fastify: a plugin that logs each request with its latency. */

import type { Logger } from '../node/logger.js';
import { fieldsOf, levelOfRequest, pathOf, type RequestLogOptions, type Served } from './request.js';

export interface FastifyOptions extends RequestLogOptions {
  readonly logger: Logger;
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly id?: unknown;
  readonly routeOptions?: { readonly url?: string | undefined };
}

interface Reply {
  readonly statusCode: number;
  readonly elapsedTime?: number;
}

type Hook = (request: Request, reply: Reply, done: () => void) => void;

interface Fastify {
  addHook(name: 'onResponse', hook: Hook): unknown;
  addHook(name: 'onRequestAbort', hook: (request: Request, done: () => void) => void): unknown;
}

export function requestLog(fastify: Fastify, options: FastifyOptions, done: () => void): void {
  const log = (request: Request, status: number, latencyMs: number, isAborted: boolean): void => {
    const path = pathOf(request.url);
    const { method } = request;
    if (options.skip?.({ method, path }) === true) return;
    const route = request.routeOptions?.url;
    const requestId = request.id === undefined ? undefined : String(request.id);
    const served: Served = { method, path, route, status, latencyMs, requestId, isAborted };
    options.logger.log(levelOfRequest(served, options.slowMs), `${method} ${path} ${status}`, fieldsOf(served));
  };
  fastify.addHook('onResponse', (request, reply, next) => {
    log(request, reply.statusCode, reply.elapsedTime ?? 0, false);
    next();
  });
  done();
}

// Hooks are for the whole server, not for a scope of this plugin's own: what fastify-plugin would say.
Object.assign(requestLog, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'insighthub' });

export default requestLog;
