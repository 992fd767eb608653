import { InvalidRequestError } from './errors/invalid-request-error';
import { LockLostError } from './errors/lock-lost-error';
import { LockUnavailableError } from './errors/lock-unavailable-error';
import { NotAllowedError } from './errors/not-allowed-error';
import { UnreachableError } from './errors/unreachable-error';
import { UpdateLockError } from './errors/update-lock-error';
import type { Answer } from './transport';
import type { Problem } from './types';

/**
 * The document that a good answer carries.
 * @throws the error that its problem stands for; UnreachableError if whoever answered is not the sidecar
 */
export function documentOf(answer: Answer, url: string): object {
  const document = answer.contentType.startsWith('application/json') ? parseObject(answer.text) : null;
  if (answer.status < 200 || answer.status > 299 || document === null) throw errorOf(answer, url);
  return document;
}

/** What an answer that is none of the good ones means. */
export function errorOf({ status, contentType, text }: Answer, url: string): UpdateLockError {
  const problem = contentType.startsWith('application/problem+json') ? (parseObject(text) as Partial<Problem> | null) : null;
  if (typeof problem?.code !== 'string') {
    const what = contentType === '' ? 'an answer without a type' : contentType;
    return new UnreachableError(`${url} is not the sidecar, or something is in between: it answered ${String(status)} with ${what}`);
  }
  const { code, detail = `${url} answered ${String(status)} ${code}` } = problem;
  switch (status) {
    case 401:
    case 403:
      return new NotAllowedError(detail, code);
    case 409:
    case 423:
    case 429:
      return new LockUnavailableError(detail, code, problem.holder);
    case 410:
      return new LockLostError(detail, problem.ended?.reason ?? code);
    case 503:
      return code === 'supervisor-unavailable' ? new UpdateLockError(detail, code) : new LockUnavailableError(detail, code, problem.holder);
    default:
      return status >= 500 ? new UpdateLockError(detail, code) : new InvalidRequestError(detail, code);
  }
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
