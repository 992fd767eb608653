import { printable } from '../../server/text';
import { readCommit, type Target } from './target';

/** One answer of the Supervisor's `GET /v1/device`, as far as it is needed here. */
export interface Reading {
  /** The device is not in the state that it should be in: true for a moment at every poll, too. */
  readonly pending: boolean;
  readonly downloaded: boolean;
  readonly downloading: boolean;
  /** The last attempt failed, perhaps because of a lock. */
  readonly failed: boolean;
  /** Helios answers in front of the Supervisor, and asks the cloud before it passes on a request for an update: from 19 on. */
  readonly isBehindHelios: boolean;
  /** The version of the Supervisor; null if it does not say. */
  readonly version: string | null;
  /** The version of the host OS, as it is shown to people; null if that is not said. */
  readonly os: string | null;
  /** The commit of the release that the device has; null if that is not said, as by `GET /v1/device` while one is being applied. */
  readonly runs: string | null;
  /** The release that it is to have; null if that was not asked for. */
  readonly target: Target | null;
}

/**
 * Null for anything but an answer of `GET /v1/device` (balena-supervisor `src/device-api/v1.ts`). Fields that are not of
 * interest may be missing, or of any kind.
 */
export function parseReading(json: unknown): Reading | null {
  if (typeof json !== 'object' || json === null) return null;
  const { update_pending, update_downloaded, update_failed, status, supervisor_version, os_version, commit } = json as Record<string, unknown>;
  if (typeof update_pending !== 'boolean') return null;
  const version = readText(supervisor_version);
  return {
    pending: update_pending,
    downloaded: update_downloaded === true,
    downloading: status === DOWNLOADING,
    failed: update_failed === true,
    isBehindHelios: version !== null && Number.parseInt(version, 10) >= 19,
    version,
    os: readText(os_version),
    runs: readCommit(commit),
    target: null,
  };
}

const DOWNLOADING = 'Downloading';

/** A version has no control characters, and is short. */
function readText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? printable(value.slice(0, MAX_TEXT)) : null;
}

const MAX_TEXT = 100;

/**
 * What `GET /v2/state/status` says beside. `GET /v1/device` tells of a download only for the service with the lowest image number, and an
 * image that is downloaded is mostly newer than those that run (balena-supervisor `src/device-api/actions.ts`,
 * `getLegacyDeviceState`); and while an update is pending it does not say which release the device has. Of an answer in another form: nothing.
 */
export function parseStateStatus(json: unknown): Pick<Reading, 'downloading' | 'runs'> {
  if (typeof json !== 'object' || json === null) return { downloading: false, runs: null };
  const { overallDownloadProgress, images, release } = json as Record<string, unknown>;
  const isDownloading =
    typeof overallDownloadProgress === 'number' ||
    (Array.isArray(images) && images.some((image: unknown) => (image as { status?: unknown } | null)?.status === DOWNLOADING));
  return { downloading: isDownloading, runs: readCommit(release) };
}

/** A container as `GET /v2/state/status` shows it. */
export interface Container {
  readonly appId: string;
  readonly serviceName: string;
  /** `Running`, `Stopped`, `Installing` and the like. */
  readonly status: string;
}

/** The containers in an answer to `GET /v2/state/status` (balena-supervisor `src/device-api/v2.ts`); null for anything else. */
export function parseContainers(json: unknown): Container[] | null {
  const { containers } = Object(json) as { containers?: unknown };
  if (!Array.isArray(containers)) return null;
  return containers.map((container: unknown) => {
    const { appId, serviceName, status } = Object(container) as Record<string, unknown>;
    return { appId: textOf(appId), serviceName: textOf(serviceName), status: textOf(status) };
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
