// The browser build in a real Chromium: records leave with the page.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startSite } from './support/site.mjs';
import { records, sleep, startGuardedNode, startNode, tally, until } from './support/server.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const REPEATS = Number(process.env.REPEATS ?? 2);
const skip = whySkipped();
let node;
let browser;
let runs = 0;

before(async () => {
  if (skip) return;
  const { chromium } = await import('playwright-core');
  node = await startNode();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});
after(async () => {
  await browser?.close();
  await node?.kill();
});

function whySkipped() {
  if (!existsSync(CHROMIUM)) return `${CHROMIUM} is missing: apt-get install --no-install-recommends chromium`;
  return Number(process.versions.node.split('.')[0]) < 20 ? 'the library that drives the browser needs Node.js 20' : false;
}

/** A page with a client as `log`. */
async function opened(t, site, options = {}) {
  t.after(() => site.closeAllConnections() ?? site.close());
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  await page.goto(site.url);
  const service = `web-${++runs}`;
  await page.evaluate(async (given) => {
    const { InsightHub } = await import('/insighthub.js');
    globalThis.log = new InsightHub(given);
  }, { service, flushEveryMs: 60_000, ...options });
  return { page, service, troubles };
}

/** The same, and its records go to a node of another origin, with a token; that node lets pages of `allowed` send. */
async function openedFarFrom(t, site, allowed) {
  const far = await startGuardedNode({ INSIGHTHUB_HTTP__ALLOWED_ORIGINS: allowed });
  t.after(() => far.kill());
  const token = await far.token(`web-${runs + 1}`);
  return { far, ...(await opened(t, site, { nodes: [far.url], token })) };
}

const logged = (page, count, padding = 0) => page.evaluate(({ count, padding }) => {
  for (let n = 0; n < count; n++) globalThis.log.info(`record ${n}`, { n, padding: 'x'.repeat(padding) });
}, { count, padding });

const found = (service, count) => until(`${count} records of ${service}`, async () => {
  const all = await records(node.url, service);
  return all.length >= count && all;
}, 5_000);

const LEAVINGS = {
  'navigates away': (page) => page.evaluate(() => { location.href = '/elsewhere'; }),
  'is reloaded': (page) => page.evaluate(() => location.reload()),
  'is closed': (page) => page.close({ runBeforeUnload: true }),
};

for (const [what, leave] of Object.entries(LEAVINGS)) {
  test(`a page that logs and ${what} delivers`, { skip }, async (t) => {
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const { page, service } = await opened(t, await startSite(node.url));
      await logged(page, 100);
      await leave(page);
      const all = await found(service, 100);
      await sleep(200);
      assert.deepEqual(tally(await records(node.url, service)), { distinct: 100, twice: 0 });
      assert.equal(all[0].page, '/');
      assert.match(all[0].sdk, /^insighthub-web\//);
    }
  });
}

test('a page of another origin logs with a token and navigates away, and a node that allows it has everything', { skip }, async (t) => {
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const site = await startSite();
    const { far, page, service, troubles } = await openedFarFrom(t, site, site.url);
    await logged(page, 10);
    await page.evaluate(() => globalThis.log.flush());
    await page.waitForFunction(() => globalThis.log.stored === 10);
    await logged(page, 100);
    await page.evaluate(() => { location.href = '/elsewhere'; });
    await until('all 110 records', async () => (await far.records(service)).length >= 110, 5_000);
    const all = await far.records(service);
    assert.equal(all.length, 110);
    assert.equal(all.every((record) => record.page === '/'), true);
    assert.deepEqual(troubles, []);
  }
});

test('a page of another origin whose first words are its last ones delivers', { skip }, async (t) => {
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const site = await startSite();
    const { far, page, service } = await openedFarFrom(t, site, site.url);
    await logged(page, 100);
    await page.evaluate(() => { location.href = '/elsewhere'; });
    await until('all 100 records', async () => (await far.records(service)).length >= 100, 5_000);
    assert.deepEqual(tally(await far.records(service)), { distinct: 100, twice: 0 });
  }
});

test('a page of an origin that is not allowed stores nothing, notices nothing and keeps its books', { skip }, async (t) => {
  const site = await startSite();
  const { far, page, service, troubles } = await openedFarFrom(t, site, 'https://another.example');
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await logged(page, 10);
  await page.evaluate(() => globalThis.log.flush());
  await page.waitForFunction(() => performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/api/logs')).length >= 2);
  const books = await page.evaluate(() => ({ emitted: log.emitted, stored: log.stored, rejected: log.rejected, dropped: log.dropped, waiting: log.waiting }));
  assert.deepEqual(books, { emitted: 10, stored: 0, rejected: 0, dropped: 0, waiting: 10 });
  // Tried again with growing pauses, not in a loop.
  assert.ok(asked.length < 20, `${asked.length} requests`);
  assert.equal(await page.evaluate(() => document.title), 'page');
  await page.evaluate(() => { location.href = '/elsewhere'; });
  await page.waitForURL('**/elsewhere');
  assert.deepEqual(troubles, []);
  assert.deepEqual(await far.records(service), []);
});

test('what was under way when the page went is not stored twice', { skip }, async (t) => {
  const site = await startSite(node.url);
  const { page, service } = await opened(t, site);
  await logged(page, 100, 100);
  await page.evaluate(() => {
    globalThis.log.flush();
    location.href = '/elsewhere';
  });
  await found(service, 100);
  await sleep(300);
  assert.deepEqual(tally(await records(node.url, service)), { distinct: 100, twice: 0 });
});

test('failures are retried, batches are gzip, and the books close', { skip }, async (t) => {
  const site = await startSite(node.url, (number) => (number <= 3 ? 503 : undefined));
  const { page, service, troubles } = await opened(t, site);
  await logged(page, 500);
  // Tried again in its own time, not when records are old enough to be sent.
  await page.evaluate(() => globalThis.log.flush());
  await page.waitForFunction(() => globalThis.log.waiting === 0);
  assert.deepEqual(tally(await records(node.url, service)), { distinct: 500, twice: 0 });
  const counts = await page.evaluate(() => ({ emitted: log.emitted, stored: log.stored, dropped: log.dropped, rejected: log.rejected }));
  assert.deepEqual(counts, { emitted: 500, stored: 500, dropped: 0, rejected: 0 });
  assert.ok(site.requests.some((request) => request.headers['content-encoding'] === 'gzip'));
  assert.deepEqual(troubles, []);
});

test('memory is bounded, the loss is counted and told', { skip }, async (t) => {
  let isOpen = false;
  const site = await startSite(node.url, () => (isOpen ? undefined : 503));
  const { page, service } = await opened(t, site, { queueMax: 50_000, flushEveryMs: 50 });
  await logged(page, 1_000, 200);
  isOpen = true;
  await page.waitForFunction(() => globalThis.log.waiting === 0);
  const { dropped, emitted } = await page.evaluate(() => ({ dropped: log.dropped, emitted: log.emitted }));
  const all = await records(node.url, service);
  assert.ok(dropped > 500, `${dropped}`);
  assert.equal(tally(all).distinct + dropped, 1_000);
  assert.equal(all.length + dropped, emitted);
  assert.equal(all.filter((record) => record.sdk_report).reduce((sum, record) => sum + record.dropped, 0), dropped);
});

test('errors nobody catches are logged, and odd values do no harm', { skip }, async (t) => {
  const { page, service } = await opened(t, await startSite(node.url));
  await page.evaluate(() => {
    setTimeout(() => { throw new TypeError('nobody catches this'); });
    Promise.reject(new Error('nobody handles this'));
    globalThis.log.info('odd', JSON.parse('{"__proto__": {"polluted": 1}}'));
    const cycle = {};
    cycle.self = cycle;
    globalThis.log.info(cycle, { get bad() { throw new Error('no'); } });
  });
  await page.waitForFunction(() => globalThis.log.emitted === 4);
  await page.evaluate(() => globalThis.log.flush());
  const all = await found(service, 4);
  assert.deepEqual(all.filter((record) => record.level === 'ERROR').map((record) => record.message).sort(), ['nobody catches this', 'nobody handles this']);
  assert.equal(await page.evaluate(() => ({}).polluted), undefined);
});
