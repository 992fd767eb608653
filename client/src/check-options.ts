import { InvalidRequestError } from './errors/invalid-request-error';

/**
 * Refuses unknown options: in plain JavaScript nothing else would notice `tll` instead of `ttl`.
 * @param what the function that takes the options, for the message
 * @throws InvalidRequestError
 */
export function checkOptions<T extends object>(what: string, options: T, known: Readonly<Record<keyof T, true>>): void {
  const allowed = Object.keys(known).join(', ');
  if (typeof options !== 'object' || (options as T | null) === null) {
    throw new InvalidRequestError(`${what} takes an object of options, not ${JSON.stringify(options)}; allowed are ${allowed}`, 'invalid');
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) throw new InvalidRequestError(`${what} has no option ${JSON.stringify(unknown)}; allowed are ${allowed}`, 'invalid');
}
