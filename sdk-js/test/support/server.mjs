// A real node, or a cluster of them, as processes of their own: started, killed, asked what it has stored.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_WITHIN_MS = 60_000;
const processes = new Set();
const directories = new Set();
process.on('exit', () => {
  processes.forEach((child) => child.kill('SIGKILL'));
  directories.forEach((path) => rmSync(path, { recursive: true, force: true }));
});

export function binary() {
  const path = process.env.INSIGHTHUB_BIN;
  if (path === undefined) throw new Error('INSIGHTHUB_BIN must name the node\'s binary: cargo build --package insighthub-node');
  return path;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what, check, withinMs = 20_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(20);
  }
}

export function directory() {
  const path = mkdtempSync(join(tmpdir(), 'insighthub-js-'));
  directories.add(path);
  return path;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One process of a node; it can be killed and started again on the same port and data. */
class NodeProcess {
  constructor(args, url, home, env) {
    Object.assign(this, { args, url, home, env });
  }

  launch() {
    const output = openSync(join(this.home, 'output.log'), 'a');
    this.child = spawn(binary(), this.args, { stdio: ['ignore', output, output], env: { ...process.env, ...this.env } });
    processes.add(this.child);
  }

  async ready() {
    const answers = () => fetch(`${this.url}/readyz`).then((reply) => reply.status === 200, () => false);
    await until(`${this.url} is ready`, answers, READY_WITHIN_MS);
  }

  async kill(signal = 'SIGKILL') {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
    processes.delete(child);
  }
}

/** A node alone, with the development profile. */
export async function startNode(env = {}) {
  const home = directory();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const node = new NodeProcess(['serve', '--dev', '--http', `127.0.0.1:${port}`, '--data', join(home, 'data')], url, home, env);
  node.launch();
  await node.ready();
  return node;
}

/** A node alone as in production: who sends has a token, who reads signs in. */
export async function startGuardedNode(env = {}) {
  const home = directory();
  const port = await freePort();
  const password = randomUUID();
  const args = ['serve', '--http', `127.0.0.1:${port}`, '--data', join(home, 'data')];
  const node = new NodeProcess(args, `http://127.0.0.1:${port}`, home, { INSIGHTHUB_ADMIN_PASSWORD: password, ...env });
  node.launch();
  await node.ready();
  const json = async (path, body, headers = {}) => {
    const reply = await fetch(node.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`${path}: ${reply.status}: ${await reply.text()}`);
    return reply.json();
  };
  const { access_token: access } = await json('/api/login', { user: 'admin', password, bearer: true });
  const signedIn = { authorization: `Bearer ${access}` };
  node.token = async (service) => (await json('/api/tokens', { service, name: service }, signedIn)).token;
  node.records = (service) => records(node.url, service, signedIn);
  return node;
}

/** Three nodes that hold everything together. */
export async function startCluster(count = 3) {
  const home = directory();
  const nodes = [];
  let config = '[cluster]\nname = "sdk"\npartitions = 4\nprofile = "development"\nreplicas = 3\n';
  config += 'secret = "0123456789abcdef0123456789abcdef0123456789abcdef"\n';
  const env = { INSIGHTHUB_RAFT__HEARTBEAT_MS: '200', INSIGHTHUB_RAFT__LEASE_MS: '800' };
  for (let number = 1; number <= count; number++) {
    const [http, peer, control] = [await freePort(), await freePort(), await freePort()];
    config += `\n[[node]]\nname = "n${number}"\nhttp = "127.0.0.1:${http}"\npeer = "127.0.0.1:${peer}"\ncontrol = "127.0.0.1:${control}"\n`;
    const args = ['serve', '--config', join(home, 'cluster.toml'), '--node', `n${number}`, '--data', join(home, `n${number}`)];
    nodes.push(new NodeProcess(args, `http://127.0.0.1:${http}`, home, env));
  }
  writeFileSync(join(home, 'cluster.toml'), config);
  nodes.forEach((node) => node.launch());
  await Promise.all(nodes.map((node) => node.ready()));
  return nodes;
}

/** All records of a service, whatever it takes to read them. */
export async function records(url, service, headers = {}) {
  const found = [];
  let cursor;
  do {
    const query = new URLSearchParams({ service, limit: '10000', ...(cursor ? { cursor } : {}) });
    const reply = await fetch(`${url}/api/logs?${query}`, { headers });
    if (reply.status !== 200) throw new Error(`${reply.status}: ${await reply.text()}`);
    const page = await reply.json();
    found.push(...page.records);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

/** How often each number in a field was found. */
export function tally(found, field = 'n') {
  const counts = new Map();
  for (const record of found) {
    if (typeof record[field] === 'number') counts.set(record[field], (counts.get(record[field]) ?? 0) + 1);
  }
  return { distinct: counts.size, twice: [...counts.values()].filter((count) => count > 1).length };
}
