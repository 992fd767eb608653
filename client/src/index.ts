export { InvalidRequestError } from './errors/invalid-request-error';
export { LockLostError } from './errors/lock-lost-error';
export { LockUnavailableError } from './errors/lock-unavailable-error';
export { NotAllowedError } from './errors/not-allowed-error';
export { UnreachableError } from './errors/unreachable-error';
export { UpdateLockError } from './errors/update-lock-error';
export type { UpdateLockOptions } from './caller';
export type { EventsOptions } from './events';
export type { Hold } from './hold';
export type { HoldOptions, Routine } from './hold-lock';
export { UpdateLock, type AcquireOptions, type CallOptions, type OverrideOptions, type RenewOptions } from './update-lock';
export type { Waiting } from './waiting';
export type {
  Draining,
  Duration,
  EndedLease,
  EndReason,
  HistoryEntry,
  Lease,
  LeaseKind,
  LockEvent,
  LockState,
  LockStatus,
  LockSummary,
  Override,
  Problem,
  ProblemCode,
  Update,
  Window as UpdateWindow,
} from './types';
