import type { Device } from './device';

const SERVICE = { appId: 1, serviceName: 'main' };

/**
 * The body of `GET /v1/device` (balena-supervisor v19.0.5 `src/device-api/actions.ts` `getLegacyDeviceState`). `status`
 * and `download_progress` are those of the service with the lowest image number: while a newer image is downloaded they
 * are the running container's, `Idle` and null, and only those of an older image show as `Downloading`.
 */
export function deviceState(device: Device, version: string, isApplying: boolean, isChecking: boolean): Record<string, unknown> {
  return {
    api_port: 48484,
    ip_address: '192.168.0.114',
    os_version: 'balenaOS 6.3.1',
    mac_address: '00:00:5E:00:53:01',
    supervisor_version: version === 'helios' ? '19.0.5' : version,
    update_pending: device.pending || isChecking,
    update_failed: device.failed,
    update_downloaded: device.downloaded,
    ...(isApplying ? {} : { commit: device.current.release.commit }),
    ...firstService(device),
  };
}

/** The body of `GET /v2/state/status` (`src/device-api/v2.ts`), which shows each image by itself. */
export function stateStatus(device: Device, isApplying: boolean): Record<string, unknown> {
  const { imageId, commit } = device.current.release;
  const downloading = device.downloadProgress === null ? [] : [device.target.release.imageId];
  return {
    status: 'success',
    appState: isApplying ? 'applying' : 'applied',
    overallDownloadProgress: device.downloadProgress,
    containers: [
      {
        status: device.isReplacing ? 'Installing' : (device.status ?? 'Running'),
        ...SERVICE,
        imageId,
        serviceId: 1,
        containerId: commit,
        createdAt: '2026-01-01T00:00:00.000Z',
      },
    ],
    images: [
      ...downloading.map((image) => imageState(image, null, 'Downloading', device.downloadProgress)),
      ...[...device.images].map((image) => imageState(image, `sha256:${String(image)}`, 'Downloaded', null)),
    ],
    release: commit,
  };
}

/** The body of `GET /v2/applications/state` (`src/device-api/v2.ts`): its commit is the target's, which may not be applied yet. */
export function applicationsState({ target, current, downloadProgress, isReplacing }: Device): Record<string, unknown> {
  const { commit, imageId } = target.release;
  const isApplied = commit === current.release.commit;
  const updateStatus = isApplied ? 'done' : downloadProgress !== null ? 'downloading' : isReplacing ? 'applying changes' : 'downloaded';
  const status = isApplied ? 'Running' : downloadProgress === null ? 'Downloaded' : 'Downloading';
  const services = { [SERVICE.serviceName]: { status, image: `registry2.example.com/v2/${String(imageId)}`, downloadProgress, releaseId: imageId } };
  return { fleet: { appId: SERVICE.appId, appUuid: 'f1ee7', commit, updateStatus, services } };
}

function imageState(imageId: number, dockerImageId: string | null, status: string, downloadProgress: number | null): Record<string, unknown> {
  return { name: `registry2.example.com/v2/${String(imageId)}`, ...SERVICE, imageId, dockerImageId, status, downloadProgress };
}

function firstService(device: Device): Record<string, unknown> {
  const isFirst = device.downloadProgress !== null && device.target.release.imageId < device.current.release.imageId;
  if (isFirst) return { status: 'Downloading', download_progress: device.downloadProgress };
  return { status: device.isReplacing ? 'Installing' : 'Idle', download_progress: null };
}
