import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * The descriptors from 3 on that whoever started us has left open for COMMAND (`9>file`, a socket from systemd). Node.js
 * marks them to be closed, so they have to be handed on one by one. To be called before anything of ours is opened.
 */
export function inheritedFiles(): number[] {
  try {
    const files = readdirSync('/proc/self/fd').map(Number).filter((fd) => fd > 2).flatMap(describe);
    // What Node.js opens for itself: event queues, /dev/null, and pipes of which it has both ends.
    const isOwn = ({ is, mode }: OpenFile): boolean =>
      is === '/dev/null' || is.startsWith('anon_inode:') || (is.startsWith('pipe:') && files.some((other) => other.is === is && other.mode !== mode));
    return files.filter((file) => !isOwn(file)).map(({ fd }) => fd);
  } catch {
    return [];
  }
}

interface OpenFile {
  readonly fd: number;
  readonly is: string;
  /** For reading, writing or both. */
  readonly mode: number;
}

/** Nothing for what is no longer there: the descriptor by which the folder was read. */
function describe(fd: number): OpenFile[] {
  try {
    const is = readlinkSync(`/proc/self/fd/${String(fd)}`);
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${String(fd)}`, 'latin1'))?.[1] ?? '0';
    return [{ fd, is, mode: Number.parseInt(flags, 8) & ACCESS_MODE }];
  } catch {
    return [];
  }
}

/** O_ACCMODE of open(2). */
const ACCESS_MODE = 3;
