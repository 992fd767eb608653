import { lstatSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * The descriptors from 3 on that our parent left open for COMMAND (`9>file`, a socket from systemd). Node.js marks them to be closed, so
 * they have to be passed on one by one. To be called before this process opens any file.
 */
export function inheritedFiles(): number[] {
  try {
    const files = readdirSync('/proc/self/fd').map(Number).filter((fd) => fd > 2).flatMap(describe);
    // Node.js has opened these for itself: event queues, /dev/null, and pipes of which it has both ends.
    const others = files.filter(({ is }) => is !== '/dev/null' && !is.startsWith('anon_inode:'));
    // Each pipe is looked up once: that takes longer than everything else here.
    const pipes = [...new Set(others.map(({ is }) => is).filter((is) => is.startsWith('pipe:')))];
    const own = new Set(pipes.filter((pipe) => hasBothEnds(others.filter(({ is }) => is === pipe))));
    return others.filter(({ is }) => !own.has(is)).map(({ fd }) => fd);
  } catch {
    return [];
  }
}

interface OpenFile {
  readonly fd: number;
  readonly is: string;
}

/** Undefined for a descriptor that is closed by now: the one by which the folder was read. */
function describe(fd: number): OpenFile[] {
  try {
    return [{ fd, is: readlinkSync(`/proc/self/fd/${String(fd)}`) }];
  } catch {
    return [];
  }
}

function hasBothEnds(files: readonly OpenFile[]): boolean {
  return files.length > 1 && new Set(files.map(({ fd }) => accessMode(fd))).size > 1;
}

/** For reading, writing or both: the permissions of the link say so (proc(5)). */
function accessMode(fd: number): number {
  return lstatSync(`/proc/self/fd/${String(fd)}`).mode & 0o600;
}
