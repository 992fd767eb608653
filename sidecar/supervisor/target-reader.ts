import type { Reading } from './reading';
import type { ReadingResult, SupervisorApi } from './supervisor-api';

/** Whose target is wanted, and when. */
export interface TargetWish {
  /** Of our app; null if it is not known. */
  readonly appId: string | null;
  /** Whether it is wanted although nothing is pending. */
  readonly isWanted: (runs: string | null) => boolean;
}

/** Also reads the target at each reading where it is wanted, which takes a second request. */
export function readingTarget(api: Pick<SupervisorApi, 'read' | 'readTarget'>, { appId, isWanted }: TargetWish): Pick<SupervisorApi, 'read'> {
  const isNeeded = ({ pending, runs }: Reading): boolean => pending || isWanted(runs);
  return {
    read: async (): Promise<ReadingResult> => {
      const result = await api.read();
      const reading = result.ok ? result.reading : null;
      return reading !== null && isNeeded(reading) ? { ok: true, reading: { ...reading, target: await api.readTarget(appId) } } : result;
    },
  };
}
