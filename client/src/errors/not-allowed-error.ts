import { UpdateLockError } from './update-lock-error';

/** A token is missing or does not allow this (`unauthorized`, `forbidden`), or the socket's permissions do not. */
export class NotAllowedError extends UpdateLockError {
  override name = 'NotAllowedError';
}
