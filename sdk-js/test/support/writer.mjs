// Runs test/apps/writer.mjs as a process of its own.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const app = fileURLToPath(new URL('../apps/writer.mjs', import.meta.url));

/** It ends with the test `t`, however that ends. */
export function startWriter(t, env) {
  const child = fork(app, { env: { ...process.env, ...env } });
  t.after(() => child.kill('SIGKILL'));
  const ask = (question) => new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code, signal) => reject(new Error(`the application ended: ${code ?? signal}`)));
    child.send(question);
  });
  return { child, ask };
}

/** The books of a client. */
export function books({ emitted, adopted, stored, rejected, dropped, waiting }) {
  return { given: emitted + adopted, accounted: stored + rejected + dropped + waiting };
}
