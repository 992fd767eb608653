/** What `GET /v1/device` of the Supervisor said at one moment, as far as it is of interest here. */
export interface Reading {
  /** The device is not in the state that it should be in: true for a moment at every poll, too. */
  readonly pending: boolean;
  readonly downloaded: boolean;
  readonly downloading: boolean;
  /** The last attempt did not succeed: so also if a lock was in its way. */
  readonly failed: boolean;
}

/**
 * Null for anything but an answer of `GET /v1/device` (balena-supervisor `src/device-api/v1.ts`). Fields that are not of
 * interest may be missing, or of any kind.
 */
export function parseReading(json: unknown): Reading | null {
  if (typeof json !== 'object' || json === null) return null;
  const { update_pending, update_downloaded, update_failed, status } = json as Record<string, unknown>;
  if (typeof update_pending !== 'boolean') return null;
  return {
    pending: update_pending,
    downloaded: update_downloaded === true,
    downloading: status === 'Downloading',
    failed: update_failed === true,
  };
}
