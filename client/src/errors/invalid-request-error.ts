import { UpdateLockError } from './update-lock-error';

/** The request itself is wrong (a name, a duration, the address of the sidecar): it would never be granted. */
export class InvalidRequestError extends UpdateLockError {
  override name = 'InvalidRequestError';
}
