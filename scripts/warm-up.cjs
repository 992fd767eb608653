// Starts the sidecar in the folder that it is given, has it do what it does first on a device, and writes down what V8 has made
// of its code by then: the code cache. Ends as a sidecar does.
const { closeSync, openSync, writeSync } = require('node:fs');
const { request } = require('node:http');
const { dirname, join } = require('node:path');
const { load, codeCachePath, withChecksums } = require('../dist/sidecar/main.js');

const [folder] = process.argv.slice(2);
const socketPath = join(folder, 'socket');
Object.assign(process.env, {
  UPDATE_LOCK_DIR: join(folder, 'lock'),
  UPDATE_LOCK_SOCKET: socketPath,
  UPDATE_LOCK_PORT: 'off',
  UPDATE_LOCK_HOLD_ON_START: '1m',
  UPDATE_LOCK_ON_STOP: 'release',
});

const dist = dirname(require.resolve('../dist/sidecar/main.js'));
// Now: the sidecar goes on as another user, who may not write here.
const file = openSync(codeCachePath(dist), 'w');
const { script, source, sidecar } = load();

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
  await sidecar.main();
  for (const each of REQUESTS) await ask(each);
  const bytes = withChecksums(source, script.createCachedData());
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
  closeSync(file);
}

warmUp().then(
  () => process.kill(process.pid, 'SIGTERM'),
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  },
);
