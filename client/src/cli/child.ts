import { spawn, type ChildProcess } from 'node:child_process';
import { CannotRunError } from './cannot-run-error';
import { EXIT, exitOfSignal } from './exits';

/** COMMAND, once it runs. */
export interface Child {
  readonly process: ChildProcess;
  /** What a shell would say it exited with. */
  readonly exited: Promise<number>;
}

/**
 * Starts COMMAND with our own standard files and the others it was meant to have, in our own process group and environment.
 * @param leaseName what it may want to know of the lease
 * @throws CannotRunError
 */
export async function startChild(command: string, args: readonly string[], leaseName: string, files: readonly number[]): Promise<Child> {
  const env = { ...process.env, UPDATE_LOCK_HELD: '1', UPDATE_LOCK_NAME: leaseName };
  const stdio: ('inherit' | 'ignore' | number)[] = ['inherit', 'inherit', 'inherit'];
  for (const fd of files) {
    while (stdio.length < fd) stdio.push('ignore');
    stdio[fd] = fd;
  }
  try {
    const child = spawn(command, args, { stdio, env });
    // Not 'close': what it leaves behind may keep its outputs open for ever.
    const exited = new Promise<number>((resolve) => child.once('exit', (code, signal) => { resolve(code ?? exitOfSignal(signal ?? 'SIGKILL')); }));
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.on('error', () => undefined);
    return { process: child, exited };
  } catch (cause) {
    throw cannotRun(command, cause as NodeJS.ErrnoException);
  }
}

function cannotRun(command: string, cause: NodeJS.ErrnoException): CannotRunError {
  // An empty name is refused by Node.js before the system is asked.
  const isMissing = cause.code === 'ENOENT' || cause.code === 'ERR_INVALID_ARG_VALUE';
  const why = isMissing ? 'not found' : cause.code === 'EACCES' ? 'permission denied' : (cause.code ?? cause.message);
  return new CannotRunError(`${command}: ${why}`, isMissing ? EXIT.notFound : EXIT.cannotRun, { cause });
}
