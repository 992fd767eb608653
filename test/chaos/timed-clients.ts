import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { LockLostError, UpdateLock } from '../../client/src/index';
import { exchange, type Target } from '../support/http';

/** A lease for a time, in the hands of a client. */
export interface Grant {
  /** `ended`: the sidecar says so; `unknown`: no answer, or one that does not tell. */
  renew(): Promise<'renewed' | 'ended' | 'unknown'>;
  release(): Promise<unknown>;
}

/** A client that acquires leases for a time. */
export interface TimedClient {
  readonly kind: string;
  /** Null if it was not told that it has the lease. */
  acquire(name: string, ttlSeconds: number): Promise<Grant | null>;
}

const run = promisify(execFile);
const COMMAND = resolve(__dirname, '../../client/dist/cli.cjs');
const SCRIPT = resolve(__dirname, '../../client/sh/update-lock');

/** Plain HTTP, each request on a connection of its own. */
export function rawClient(kind: string, target: () => Target): TimedClient {
  return {
    kind,
    acquire: async (name, ttlSeconds) => {
      const path = `/v1/leases/${name}`;
      const granted = await exchange(target(), 'PUT', path, { json: { ttl: ttlSeconds } });
      if (granted.status !== 201) return null;
      const headers = { 'If-Match': `"${String(granted.body.id)}"` };
      return {
        renew: async () => statusMeaning((await exchange(target(), 'PUT', path, { json: { ttl: ttlSeconds }, headers })).status),
        release: () => exchange(target(), 'DELETE', path, { headers }),
      };
    },
  };
}

export function curlClient(socketPath: string): TimedClient {
  const curl = async (...args: string[]): Promise<number> => {
    const { stdout } = await run('curl', ['--silent', '--unix-socket', socketPath, '--output', '/dev/null', '--write-out', '%{http_code}', ...args]);
    return Number(stdout);
  };
  return {
    kind: 'curl',
    acquire: async (name, ttlSeconds) => {
      const url = `http://localhost/v1/leases/${name}`;
      const put = ['-X', 'PUT', '--data', `ttl=${ttlSeconds}`];
      if ((await curl(...put, url)) !== 201) return null;
      return {
        renew: async () => statusMeaning(await curl(...put, '--header', 'If-Match: *', url)),
        release: () => curl('-X', 'DELETE', url),
      };
    },
  };
}

export function libraryClient(url: string): TimedClient {
  const lock = new UpdateLock({ url });
  return {
    kind: 'library',
    acquire: async (name, ttl) => {
      await lock.acquire({ name, ttl, wait: 1 });
      return {
        renew: () => lock.renew(name, { ttl }).then(
          () => 'renewed',
          (error: unknown) => (error instanceof LockLostError ? 'ended' : 'unknown'),
        ),
        release: () => lock.release(name),
      };
    },
  };
}

export function commandClient(url: string): TimedClient {
  return programClient('command', [process.execPath, COMMAND], url);
}

export function shellClient(url: string): TimedClient {
  return programClient('shell client', ['sh', SCRIPT], url);
}

function programClient(kind: string, [file = '', ...first]: readonly string[], url: string): TimedClient {
  const call = (...args: string[]) => run(file, [...first, ...args], { env: { PATH: process.env['PATH'], UPDATE_LOCK_URL: url } });
  return {
    kind,
    acquire: async (name, ttlSeconds) => {
      const ttl = ['--ttl', `${ttlSeconds}s`];
      await call('acquire', name, ...ttl, '--wait', '1s');
      return {
        renew: () => call('renew', name, ...ttl).then(() => 'renewed', () => 'unknown'),
        release: () => call('release', name),
      };
    },
  };
}

function statusMeaning(status: number): 'renewed' | 'ended' | 'unknown' {
  if (status === 200) return 'renewed';
  return status === 412 ? 'ended' : 'unknown';
}
