import type * as files from 'node:fs';

type Files = typeof files;

/** One file operation of the sidecar, by the name of the function of `node:fs`. */
export interface Operation {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Is asked at each file operation of the sidecar, and performs it or does not. */
export type Interceptor = <T>(operation: Operation, perform: () => T) => T;

let interceptor: Interceptor | null = null;

/** `node:fs`, with the interceptor in front of each synchronous function. */
export function interceptFiles(real: Files): Files {
  const intercepted: Record<string, unknown> = { ...real };
  for (const [name, call] of Object.entries(real)) {
    if (!name.endsWith('Sync') || typeof call !== 'function') continue;
    const perform = call as (...args: unknown[]) => unknown;
    intercepted[name] = (...args: unknown[]) => atPoint(name, args, () => perform(...args));
  }
  return intercepted as Files;
}

/** A point at which the interceptor is asked. */
export function atPoint<T>(name: string, args: readonly unknown[], perform: () => T): T {
  return interceptor === null ? perform() : interceptor({ name, args }, perform);
}

/** Calls the sidecar with an interceptor; the tests' own file operations go without one. */
export function withInterceptor<T>(next: Interceptor | null, action: () => T): T {
  const former = interceptor;
  interceptor = next;
  try {
    return action();
  } finally {
    interceptor = former;
  }
}
