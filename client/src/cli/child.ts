import { spawn, type ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { CannotRunError } from './cannot-run-error';
import { EXIT, exitOfSignal } from './exits';

/** The running COMMAND. */
export interface Child {
  readonly process: ChildProcess;
  /** Its exit status, as a shell would report it. */
  readonly exited: Promise<number>;
}

/**
 * To be called before the lock is asked for: nobody should wait for it and then learn of a typing mistake.
 * @throws CannotRunError if COMMAND is not there
 */
export function checkFound(command: string): void {
  const folders = command.includes('/') ? [''] : (process.env['PATH'] ?? '/usr/bin:/bin').split(':').map((folder) => `${folder === '' ? '.' : folder}/`);
  if (command === '' || folders.every((folder) => isMissing(folder + command))) throw new CannotRunError(`${command}: not found`, EXIT.notFound, {});
}

/** False where it cannot be told: then the attempt to start it will. */
function isMissing(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/**
 * Starts COMMAND with our own standard files and the others it was meant to have, in our own process group and environment.
 * @param leaseName for its environment
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
    // Not 'close': processes that it leaves behind may keep its outputs open for ever.
    const exited = new Promise<number>((resolve) => child.once('exit', (code, signal) => { resolve(code ?? exitOfSignal(signal ?? 'SIGKILL')); }));
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.on('error', () => undefined);
    return { process: child, exited };
  } catch (cause) {
    throw cannotRun(command, cause as NodeJS.ErrnoException);
  }
}

function cannotRun(command: string, cause: NodeJS.ErrnoException): CannotRunError {
  // Node.js throws for an empty name, before it asks the system.
  const isMissing = cause.code === 'ENOENT' || cause.code === 'ERR_INVALID_ARG_VALUE';
  const why = isMissing ? 'not found' : cause.code === 'EACCES' ? 'permission denied' : (cause.code ?? cause.message);
  return new CannotRunError(`${command}: ${why}`, isMissing ? EXIT.notFound : EXIT.cannotRun, { cause });
}
