// A site with one page that logs, and its way to a node: through the site's own origin, or as another origin that the
// node allows, with exactly the answers to a browser's preflight that the SDK needs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, request as ask } from 'node:http';

const script = readFileSync(createRequire(import.meta.url).resolve('insighthub/browser'));

async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  server.url = `http://localhost:${server.address().port}`;
  return server;
}

function forward(node, request, response, headers, more = {}) {
  const { hostname, port } = new URL(node);
  const upstream = ask({ hostname, port, method: request.method, path: request.url, headers }, (reply) => {
    response.writeHead(reply.statusCode, { ...reply.headers, ...more });
    reply.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
}

/** Serves a page at every path, and the node's API under the same origin. */
export async function startSite(node, answer = () => undefined) {
  const site = await listen((request, response) => {
    if (request.url === '/insighthub.js') return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    if (request.url.startsWith('/api/')) {
      site.requests.push({ url: request.url, headers: request.headers });
      const status = answer(site.requests.length);
      if (status !== undefined) return response.writeHead(status, { 'retry-after': '0' }).end('{}');
      return forward(node, request, response, request.headers);
    }
    return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>page</title><link rel="icon" href="data:,"><p>hello');
  });
  site.requests = [];
  return site;
}

/** What a node with `[http] allowed_origins` has to do for pages of these origins. */
export async function startOtherOrigin(node, origins) {
  const other = await listen((request, response) => {
    const { origin, ...headers } = request.headers;
    if (!origins.includes(origin)) return response.writeHead(403).end();
    const allowed = { 'access-control-allow-origin': origin, vary: 'origin', 'access-control-expose-headers': 'retry-after' };
    if (request.method === 'OPTIONS') {
      other.preflights += 1;
      return response.writeHead(204, {
        ...allowed,
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'authorization, content-type, content-encoding, x-insighthub-producer, x-insighthub-sequence',
        'access-control-max-age': '7200',
      }).end();
    }
    return forward(node, request, response, headers, allowed);
  });
  other.preflights = 0;
  return other;
}
