// Takes batches of InsightHub and of Loki, in a process of its own, and counts the records that came.
import { createServer } from 'node:http';
import { gunzip } from 'node:zlib';

let records = 0;
let bytes = 0;
let requests = 0;

const server = createServer((request, response) => {
  if (request.url === '/count') return response.end(JSON.stringify({ records, bytes, requests, cpu: process.cpuUsage() }));
  if (request.url === '/reset') {
    records = bytes = requests = 0;
    return response.end();
  }
  if (request.method === 'GET') return response.writeHead(404).end('{}');
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const raw = Buffer.concat(pieces);
    bytes += raw.length;
    requests += 1;
    const take = (error, body) => {
      if (error) return response.writeHead(400).end();
      if (request.url.startsWith('/loki')) {
        for (const stream of JSON.parse(body).streams) records += stream.values.length;
        return response.writeHead(204).end();
      }
      let count = 0;
      for (let at = body.indexOf(10); at >= 0; at = body.indexOf(10, at + 1)) count += 1;
      records += count;
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: 'queued', accepted: count, rejected: 0 }));
    };
    if (request.headers['content-encoding'] === 'gzip') gunzip(raw, take);
    else take(undefined, raw);
  });
});
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
