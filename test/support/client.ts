import { existsSync } from 'node:fs';
import { UpdateLock } from '../../client/src/index';
import type { Sidecar } from './sidecar';

/** The library, asking that sidecar. */
export function clientOf(sidecar: Sidecar): UpdateLock {
  return new UpdateLock({ url: `unix:${sidecar.socketPath}` });
}

export function isLocked(sidecar: Sidecar): boolean {
  return sidecar.lockFiles.every((path) => existsSync(path));
}

/** The signal's reason, once it has one. */
export async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => { signal.addEventListener('abort', resolve); });
  return signal.reason;
}
