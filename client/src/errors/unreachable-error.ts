import { UpdateLockError } from './update-lock-error';

/** No sidecar answered within the time for it. The code is `unreachable`; `cause` is what the last attempt met. */
export class UnreachableError extends UpdateLockError {
  override name = 'UnreachableError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'unreachable', options);
  }
}
