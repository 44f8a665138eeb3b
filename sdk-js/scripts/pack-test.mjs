// Packs the package, installs the file into a clean folder, type-checks an application there and runs the package's own
// tests on what was installed. Arguments: names of test files; all of them if none are given.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'insighthub-pack-'));
const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
// What the tests log through; not what builds the package.
const BUILD_ONLY = new Set(['typescript', 'esbuild', '@types/node', 'pino-loki']);

const APPLICATION = `
import { InsightHub, type Stats } from 'insighthub';
import { InsightHubTransport } from 'insighthub/winston';
import { transport } from 'insighthub/pino';
import { requestLog } from 'insighthub/express';
import { InsightHub as Web } from 'insighthub/browser';
import winston from 'winston';
import pino from 'pino';
import express from 'express';
const log = new InsightHub({ nodes: 'http://localhost:8000', service: 'checkout' });
log.info('paid', { order: 7 });
const stats: Stats = log.stats();
winston.createLogger({ transports: [new InsightHubTransport({ client: log })] });
pino(transport(pino, { nodes: 'http://localhost:8000', service: 'checkout' }));
express().use(requestLog(log));
new Web({ service: String(stats.stored) }).info('seen');
// @ts-expect-error a service is a text
new InsightHub({ service: 7 });
`;

try {
  const [{ filename, files, size }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', home], root));
  console.log(`${filename}: ${files.length} files, ${size} bytes`);
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json')));
  const beside = Object.entries(devDependencies).filter(([name]) => !BUILD_ONLY.has(name)).map(([name, version]) => `${name}@${version}`);
  writeFileSync(join(home, 'package.json'), '{ "name": "clean", "private": true, "type": "module" }\n');
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', join(home, filename), ...beside], home);
  const installed = join(home, 'node_modules', 'insighthub');
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json')));
  if (dependencies !== undefined) throw new Error('the package has runtime dependencies');

  writeFileSync(join(home, 'application.mts'), APPLICATION);
  writeFileSync(join(home, 'application.cts'), APPLICATION);
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
  const strict = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--esModuleInterop', '--target', 'es2022', ...types];
  console.log(run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...strict, 'application.mts', 'application.cts'], home));

  cpSync(join(installed, 'test'), join(home, 'test'), { recursive: true });
  const names = process.argv.slice(2);
  const tests = (names.length > 0 ? names : readdirSync(join(home, 'test')).filter((name) => name.endsWith('.test.mjs'))).map((name) => join(home, 'test', name));
  execFileSync(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=3', ...tests], { cwd: home, stdio: ['ignore', 'inherit', 'inherit'] });
} catch (error) {
  // A failed command has said why itself.
  console.error(error.stdout || String(error.message ?? error));
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
