import { CannotRunError } from './cannot-run-error';
import { EXIT } from './exits';
import { printable, tell } from './output';
import { UsageError } from './usage-error';
import { InvalidRequestError } from '../errors/invalid-request-error';
import { LockLostError } from '../errors/lock-lost-error';
import { LockUnavailableError } from '../errors/lock-unavailable-error';
import { NotAllowedError } from '../errors/not-allowed-error';
import { UnreachableError } from '../errors/unreachable-error';
import { UpdateLockError } from '../errors/update-lock-error';

/** What was wrong in a request, at the beginning of a message. The option that it came from has the same name. */
const FIELD = /^(?=(?:url|ttl|wait|for|reason): )/;

/** Prints an error and returns the exit status. Prints nothing if the reader of the output has gone. */
export function fail(error: unknown): number {
  if ((error as NodeJS.ErrnoException | null)?.code === 'EPIPE') return EXIT.ok;
  const message = error instanceof Error ? error.message : String(error);
  tell(printable(error instanceof InvalidRequestError ? message.replace(FIELD, '--') : message));
  if (error instanceof UsageError) tell(`see update-lock ${error.command === undefined ? '' : `${error.command} `}--help`);
  if (error instanceof NotAllowedError && wantsToken(message)) tell('set UPDATE_LOCK_TOKEN, or use --token-file FILE');
  return exitOf(error);
}

/** Whether another token would help. The reason may be the host name, or the permissions of the socket, or that the sidecar has no admin token. */
function wantsToken(message: string): boolean {
  return /\btoken\b/.test(message) && !message.includes('UPDATE_LOCK_ADMIN_TOKEN is not set');
}

function exitOf(error: unknown): number {
  if (error instanceof CannotRunError) return error.exit;
  if (error instanceof UsageError || error instanceof InvalidRequestError) return EXIT.usage;
  if (error instanceof UnreachableError) return EXIT.unreachable;
  if (error instanceof LockUnavailableError || error instanceof LockLostError) return EXIT.unavailable;
  if (error instanceof NotAllowedError) return EXIT.notAllowed;
  if (error instanceof UpdateLockError && ['supervisor-unavailable', 'not-configured'].includes(error.code)) return EXIT.unreachable;
  return EXIT.internal;
}
