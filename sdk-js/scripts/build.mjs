// Builds dist/: ESM and CommonJS module by module, the browser's file in one piece, types.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
process.chdir(root);
rmSync('dist', { recursive: true, force: true });

const sources = readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.ts')).map((name) => join('src', name));
const ofNode = sources.filter((name) => !name.includes('exit-worker'));
const common = { target: 'es2022', logLevel: 'warning', sourcemap: false };

const worker = await build({
  ...common,
  entryPoints: ['src/node/exit-worker.ts'],
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node18',
  format: 'cjs',
  write: false,
});
const define = { EXIT_WORKER_SOURCE: JSON.stringify(worker.outputFiles[0].text) };
await Promise.all([
  build({ ...common, entryPoints: ofNode, outdir: 'dist/esm', outbase: 'src', platform: 'node', target: 'node18', format: 'esm', define }),
  build({ ...common, entryPoints: ofNode, outdir: 'dist/cjs', outbase: 'src', platform: 'node', target: 'node18', format: 'cjs', define }),
  build({
    ...common,
    entryPoints: ['src/browser/index.ts'],
    outfile: 'dist/browser/insighthub.js',
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2020',
    format: 'esm',
  }),
  build({
    ...common,
    entryPoints: ['src/browser/index.ts'],
    outfile: 'dist/browser/insighthub.global.js',
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2020',
    format: 'iife',
    globalName: 'insighthub',
  }),
]);
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.json', '--noEmit', 'false', '--emitDeclarationOnly', '--declaration', '--outDir', 'dist/esm'], { stdio: 'inherit' });
mkdirSync('dist/cjs', { recursive: true });
cpSync('dist/esm', 'dist/cjs', { recursive: true, filter: (name) => !name.endsWith('.js') });
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
