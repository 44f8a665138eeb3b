// A site with one page that logs, and its way to a node through the site's own origin.
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

function forward(node, request, response) {
  const { hostname, port } = new URL(node);
  const { method, url: path, headers } = request;
  const upstream = ask({ hostname, port, method, path, headers }, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
}

/** Serves a page at every path, and the API of `node` under the same origin. */
export async function startSite(node, answer = () => undefined) {
  const site = await listen((request, response) => {
    if (request.url === '/insighthub.js') return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    if (request.url.startsWith('/api/')) {
      site.requests.push({ url: request.url, headers: request.headers });
      const status = answer(site.requests.length);
      if (status !== undefined) return response.writeHead(status, { 'retry-after': '0' }).end('{}');
      return forward(node, request, response);
    }
    return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>page</title><link rel="icon" href="data:,"><p>hello');
  });
  site.requests = [];
  return site;
}
