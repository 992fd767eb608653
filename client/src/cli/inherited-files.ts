import { readdirSync, readlinkSync } from 'node:fs';

/**
 * The descriptors from 3 on that whoever started us has left open for COMMAND (`9>file`, a socket from systemd). Node.js
 * marks them to be closed, so they have to be handed on one by one. To be called before anything of ours is opened.
 */
export function inheritedFiles(): number[] {
  try {
    const files = readdirSync('/proc/self/fd').map(Number).filter((fd) => fd > 2).map((fd) => ({ fd, is: linkOf(fd) }));
    // What Node.js opens for itself: event queues, /dev/null, and pipes of which it has both ends.
    return files
      .filter(({ fd, is }) => is !== undefined && is !== '/dev/null' && !is.startsWith('anon_inode:') && !files.some((other) => other.fd !== fd && other.is === is && is.startsWith('pipe:')))
      .map(({ fd }) => fd);
  } catch {
    return [];
  }
}

/** Undefined for what is no longer there: the descriptor by which the folder was read. */
function linkOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${String(fd)}`);
  } catch {
    return undefined;
  }
}
