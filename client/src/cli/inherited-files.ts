import { lstatSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * The descriptors from 3 on that whoever started us has left open for COMMAND (`9>file`, a socket from systemd). Node.js
 * marks them to be closed, so they have to be handed on one by one. To be called before anything of ours is opened.
 */
export function inheritedFiles(): number[] {
  try {
    const files = readdirSync('/proc/self/fd').map(Number).filter((fd) => fd > 2).flatMap(describe);
    // What Node.js opens for itself: event queues, /dev/null, and pipes of which it has both ends.
    const others = files.filter(({ is }) => is !== '/dev/null' && !is.startsWith('anon_inode:'));
    // Each pipe once: looking at a descriptor takes longer than all the rest here.
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

/** Nothing for what is no longer there: the descriptor by which the folder was read. */
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
