import { UpdateLockError } from './update-lock-error';

/**
 * The lease has ended before it was released. The code says how: `lost` (the lock was taken away, by a forced update for
 * instance), `drained`, `expired`, `released` (by somebody else), `stopped`, `disconnected`; `lease-not-found` if nothing
 * is known of it any more; `unreachable` if the sidecar is gone for longer than it could recover.
 */
export class LockLostError extends UpdateLockError {
  override name = 'LockLostError';
}
