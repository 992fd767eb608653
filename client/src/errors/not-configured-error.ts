import { UpdateLockError } from './update-lock-error';

/** Of updates nothing can be known. */
export function notConfiguredError(): UpdateLockError {
  const why = 'The sidecar has no Supervisor to ask about updates: its service needs the label io.balena.features.supervisor-api';
  return new UpdateLockError(why, 'not-configured');
}
