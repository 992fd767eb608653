// Starts the sidecar in the folder that it is given, has it do what it does first on a device, and writes what V8 has made of
// its code by then, the code cache, to descriptor 3. Ends as a sidecar does, having written nothing if anything went wrong.
const { writeSync } = require('node:fs');
const { request } = require('node:http');
const { join } = require('node:path');
const { load, withChecksums } = require('../dist/sidecar/main.js');

const OUTPUT = 3;
const WITHIN_MS = 60_000;

const [folder] = process.argv.slice(2);
const socketPath = join(folder, 'socket');
Object.assign(process.env, {
  UPDATE_LOCK_DIR: join(folder, 'lock'),
  UPDATE_LOCK_SOCKET: socketPath,
  UPDATE_LOCK_PORT: 'off',
  UPDATE_LOCK_HOLD_ON_START: '1m',
  UPDATE_LOCK_ON_STOP: 'release',
});

/** The first requests of a device's life. */
const REQUESTS = [
  ['GET', '/healthz'],
  ['PUT', '/v1/leases/warm-up', JSON.stringify({ reason: 'the first' })],
  ['GET', '/v1/lock'],
  ['GET', '/metrics'],
  ['DELETE', '/v1/leases/warm-up'],
];

function ask([method, path, body]) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    request({ socketPath, method, path, headers }, (response) => {
      response.resume().once('end', () => (response.statusCode < 300 ? resolve() : reject(new Error(`${method} ${path}: ${response.statusCode}`))));
    })
      .once('error', reject)
      .end(body);
  });
}

async function warmUp() {
  const { script, source, sidecar } = load();
  await sidecar.main();
  for (const each of REQUESTS) await ask(each);
  const bytes = withChecksums(source, script.createCachedData());
  for (let written = 0; written < bytes.length; ) written += writeSync(OUTPUT, bytes, written);
}

// As a sidecar ends that is told to: nothing of it may stay.
const end = () => process.kill(process.pid, 'SIGTERM');
setTimeout(end, WITHIN_MS).unref();
warmUp()
  .catch((error) => process.stderr.write(`${error.message}\n`))
  .finally(end);
