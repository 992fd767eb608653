/** From this version on it keeps the lock for all steps of an update. Before, it takes it for each step, and a lease could come in between. */
const KEEPS_LOCK_FROM = { major: 16, minor: 2 } as const;

/** Why its releases can neither soak nor be given turns; null if they can, or if its version is not known. */
export function whyTooOld(version: string | null): string | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? '')?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return null;
  const isNewEnough = major > KEEPS_LOCK_FROM.major || (major === KEEPS_LOCK_FROM.major && minor >= KEEPS_LOCK_FROM.minor);
  return isNewEnough ? null : `that needs Supervisor ${String(KEEPS_LOCK_FROM.major)}.${String(KEEPS_LOCK_FROM.minor)} or later, and this is ${version ?? ''}`;
}
