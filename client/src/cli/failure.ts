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

/** Prints an error and returns the exit status. Prints nothing if the reader of the output has gone. */
export function fail(error: unknown): number {
  if ((error as NodeJS.ErrnoException | null)?.code === 'EPIPE') return EXIT.ok;
  tell(printable(error instanceof Error ? error.message : String(error)));
  if (error instanceof UsageError) tell(`see update-lock ${error.command === undefined ? '' : `${error.command} `}--help`);
  // Nobody is refused for a token alone: the host name or the socket's permissions may be the reason.
  if (error instanceof NotAllowedError && /\btoken\b/.test(error.message)) tell('set UPDATE_LOCK_TOKEN, or use --token-file FILE');
  return exitOf(error);
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
