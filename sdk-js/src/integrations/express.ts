/** Express: one record for each request, with its latency. Works with any framework of this shape. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../node/logger.js';
import { fieldsOf, levelOfRequest, pathOf, type RequestLogOptions, type Served } from './request.js';

/** What Express adds to a request. */
interface ExpressRequest extends IncomingMessage {
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown };
}

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

export function requestLog(logger: Logger, options: RequestLogOptions = {}): Middleware {
  return (request, response, next) => {
    const started = performance.now();
    const path = pathOf((request as ExpressRequest).originalUrl ?? request.url ?? '/');
    const method = request.method ?? 'GET';
    response.once('close', () => {
      if (options.skip?.({ method, path }) === true) return;
      const served: Served = {
        method,
        path,
        route: routeOf(request),
        status: response.statusCode,
        latencyMs: performance.now() - started,
        requestId: headerOf(request, 'x-request-id'),
        isAborted: !response.writableFinished,
      };
      logger.log(levelOfRequest(served, options.slowMs), `${method} ${path} ${served.status}`, fieldsOf(served));
    });
    next();
  };
}

function routeOf(request: ExpressRequest): string | undefined {
  const path = request.route?.path;
  return typeof path === 'string' ? `${request.baseUrl ?? ''}${path}` : undefined;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value.slice(0, 200) : undefined;
}
