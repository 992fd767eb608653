import { UpdateLockError } from './update-lock-error';

/** The lock, or the name, could not be had within `wait`: an update is being applied, somebody else has it, and so on. */
export class LockUnavailableError extends UpdateLockError {
  override name = 'LockUnavailableError';

  /** @param holder who is in the way, where that is known: `supervisor`, a path, the name of a lease */
  constructor(
    message: string,
    code: string,
    readonly holder: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, code, options);
  }
}
