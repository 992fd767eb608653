// Holds the lock until its input ends, and reports how that went; see client-driver.ts.
import { once } from 'node:events';
import { UpdateLock } from '../../client/dist/index.mjs';

const KINDS = {
  LockUnavailableError: 'refused',
  LockLostError: 'lost',
  UnreachableError: 'unreachable',
  InvalidRequestError: 'invalid',
  NotAllowedError: 'not-allowed',
};

const [name, wait] = process.argv.slice(2);
const options = { name, reason: process.env.HOLD_REASON, ...(wait === 'forever' ? {} : { wait }) };
let report = { kind: 'held' };
try {
  await new UpdateLock().hold(options, async (signal) => {
    console.log('started');
    process.stdin.resume();
    const lost = new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await Promise.race([once(process.stdin, 'end'), lost]);
  });
} catch (error) {
  report = { kind: KINDS[error.name], code: error.code, told: error.message };
}
console.log(JSON.stringify(report));
process.stdin.destroy();
