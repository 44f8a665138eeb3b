// Runs test/apps/app.mjs as a process of its own.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const app = fileURLToPath(new URL('../apps/app.mjs', import.meta.url));

export function startApp(library, ending, env, file = app) {
  const child = spawn(process.execPath, [file, library, ending], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })));
  return { child, ended };
}

export const runApp = (...args) => startApp(...args).ended;
