import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { O_PATH } from '../../server/trusted-directory';
import { isSameFile, type FileIdentity } from './classify';
import { FIRST_FD } from './flock';
import type { LockUser } from './lock-user';

/** In milliseconds; it takes a few, and more on a busy machine. */
const TIMEOUT_MS = 5000;

/**
 * Whether a process holds `flock(2)` on somebody else's file; null if that cannot be found out. A child tries to take it, without waiting,
 * and exits. We have closed the file by then, so nobody else is kept from the flock for longer than a process takes to exit. It asks for
 * the exclusive flock, or it would not see that others share it. `/proc/locks` does not show the locks of processes outside of our container.
 */
export function isFlocked(path: string, file: FileIdentity, user: LockUser): Promise<boolean | null> {
  let child: ChildProcess;
  try {
    child = user.actAsStarted(() => startTest(path, file, user));
  } catch {
    return Promise.resolve(null);
  }
  child.unref();
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { said += text; });
  return new Promise((resolve) => {
    child.once('error', () => { resolve(null); });
    child.once('close', (status) => {
      if (status === 0) resolve(false);
      // Where it fails for another reason, it says so.
      else resolve(status === 1 && said === '' ? true : null);
    });
  });
}

function startTest(path: string, file: FileIdentity, { ids }: LockUser): ChildProcess {
  const fd = openOthersFile(path, file);
  try {
    const command = `exec flock -n -x ${String(FIRST_FD)}`;
    return spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe', fd], cwd: '/', env: {}, timeout: TIMEOUT_MS, ...ids });
  } finally {
    closeSync(fd);
  }
}

/** Opens the very file, and nothing that has come to its path meanwhile: to open a pipe or a device for reading can have effects. */
function openOthersFile(path: string, file: FileIdentity): number {
  const place = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(place);
    if (!stats.isFile() || !isSameFile(stats, file)) throw new Error(`${path} is another file now`);
    return openSync(`/proc/self/fd/${String(place)}`, constants.O_RDONLY | constants.O_NONBLOCK);
  } finally {
    closeSync(place);
  }
}
