import { InvalidRequestError } from './errors/invalid-request-error';
import { LockLostError } from './errors/lock-lost-error';
import { LockUnavailableError } from './errors/lock-unavailable-error';
import { NotAllowedError } from './errors/not-allowed-error';
import { UnreachableError } from './errors/unreachable-error';
import { UpdateLockError } from './errors/update-lock-error';
import type { Answer } from './http-client';
import type { EndedLease, HistoryEntry, Lease, LockStatus, Override, Problem, Update } from './types';

/** A check of a document: something other than a sidecar may have answered. */
export interface Check<T extends object> {
  /** For the error message: `the lease recorder`. */
  readonly what: string;
  readonly passes: (document: Partial<T>) => boolean;
}

export function leaseNamed<T extends Lease | EndedLease = Lease>(name: string): Check<T> {
  return { what: `the lease ${name}`, passes: (document) => isLease(document, name) };
}

/** Checks for a lease of that name. It may have no id: older sidecars give none. */
export function isLease({ name, id, since }: Partial<Lease>, expectedName: string): boolean {
  return name === expectedName && typeof since === 'string' && (id === undefined || (typeof id === 'string' && id !== ''));
}

export const LEASES: Check<{ leases: Lease[] }> = { what: 'the leases', passes: ({ leases }) => Array.isArray(leases) };

export const LOCK: Check<LockStatus> = { what: 'the state of the lock', passes: ({ state, leases }) => typeof state === 'string' && Array.isArray(leases) };

export const HISTORY: Check<{ events: HistoryEntry[] }> = { what: 'the history', passes: ({ events }) => Array.isArray(events) };

export const UPDATE: Check<Update> = { what: 'the state of updates', passes: ({ pending }) => typeof pending === 'boolean' };

export const OVERRIDE: Check<Override> = { what: 'the override', passes: ({ updates, until }) => typeof updates === 'string' && typeof until === 'string' };

/**
 * The document in a successful answer.
 * @throws the error for the problem in the answer; UnreachableError if the answer is not a sidecar's
 */
export function documentOf<T extends object>(answer: Answer, url: string, check: Check<T>): T {
  const document = answer.contentType.startsWith('application/json') ? parseObject(answer.text) : null;
  if (answer.status < 200 || answer.status > 299 || document === null) throw errorOf(answer, url);
  if (!check.passes(document)) throw notTheSidecar(answer, url, `without ${check.what}`);
  return document as T;
}

/** The error for an answer that is not successful. */
export function errorOf(answer: Answer, url: string): UpdateLockError {
  const { status, contentType, text } = answer;
  const problem = contentType.startsWith('application/problem+json') ? (parseObject(text) as Partial<Problem> | null) : null;
  if (typeof problem?.code !== 'string') return notTheSidecar(answer, url, contentType === '' ? 'without a content type' : `with ${contentType}`);
  const { code, detail = `${url} answered ${String(status)} ${code}` } = problem;
  switch (status) {
    case 401:
    case 403:
      return new NotAllowedError(detail, code);
    case 409:
    case 423:
    case 429:
      return new LockUnavailableError(detail, code, problem.holder);
    case 404:
      return code === 'lease-not-found' ? new LockLostError(detail, code) : new InvalidRequestError(detail, code);
    case 410:
      return new LockLostError(detail, problem.ended?.reason ?? code);
    case 412:
      return new LockLostError(detail, problem.ended?.reason ?? 'lease-not-found');
    case 503:
      return code === 'supervisor-unavailable' ? new UpdateLockError(detail, code) : new LockUnavailableError(detail, code, problem.holder);
    default:
      return status >= 500 ? new UpdateLockError(detail, code) : new InvalidRequestError(detail, code);
  }
}

function notTheSidecar({ status }: Answer, url: string, how: string): UnreachableError {
  return new UnreachableError(`${url} answered ${String(status)} ${how}: is this the sidecar?`);
}

/** The JSON object that a text is, or null. */
export function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
