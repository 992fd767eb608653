import { parseReading, parseStateStatus, type Reading } from '../../sidecar/supervisor/reading';

const IDLE: Reading = { pending: false, downloaded: false, downloading: false, failed: false, isBehindHelios: true, version: '19.0.5', os: 'balenaOS 6', runs: 'abc', target: null };
const ANSWER = {
  api_port: 48484, ip_address: '192.168.0.1', commit: 'abc', status: 'Idle', download_progress: null, os_version: 'balenaOS 6', mac_address: '',
  supervisor_version: '19.0.5', update_pending: false, update_downloaded: false, update_failed: false,
};

test.each<[string, object, Partial<Reading>]>([
  ['has nothing to do', {}, {}],
  ['has an update', { update_pending: true }, { pending: true }],
  ['waits for a lock', { update_pending: true, update_failed: true, update_downloaded: true }, { pending: true, failed: true, downloaded: true }],
  ['downloads', { update_pending: true, status: 'Downloading', download_progress: 4 }, { pending: true, downloading: true }],
  ['installs', { update_pending: true, status: 'Installing' }, { pending: true }],
  ['says no more than that', { update_failed: undefined, update_downloaded: undefined, status: undefined }, {}],
  ['is older than Helios', { supervisor_version: '18.12.3' }, { isBehindHelios: false, version: '18.12.3' }],
  ['says no version', { supervisor_version: undefined, os_version: null }, { isBehindHelios: false, version: null, os: null }],
  ['says it in other kinds', { update_failed: 1, update_downloaded: 'true', status: ['Downloading'] }, {}],
])('of a Supervisor that %s', (_, changes, reading) => {
  expect(parseReading({ ...ANSWER, ...changes })).toEqual({ ...IDLE, ...reading });
});

test.each([undefined, null, 5, 'text', [], {}, { update_pending: 'false' }, { update_pending: null }, { error: 'x' }])('%j is no answer of a Supervisor', (json) => {
  expect(parseReading(json)).toBeNull();
});

test.each<[unknown, boolean]>([
  [{ appState: 'applying', overallDownloadProgress: null, images: [] }, false],
  [{ overallDownloadProgress: 0, images: [] }, true],
  [{ overallDownloadProgress: null, images: [{ status: 'Downloaded' }, { status: 'Downloading' }] }, true],
  [{ images: [{ status: 'Downloaded' }, null, 5, 'Downloading'] }, false],
  [{ images: 'Downloading' }, false],
  [[], false],
  [null, false],
  [undefined, false],
])('%j shows a download: %s', (json, isShown) => {
  expect(parseStateStatus(json)).toEqual({ downloading: isShown, runs: null });
});

test.each<[unknown, string | null]>([['abc', 'abc'], ['localrelease', 'localrelease'], ['', null], [5, null], [null, null], ['a b', null], ['x'.repeat(101), null]])(
  'the release %j is one that runs: %j',
  (release, runs) => {
    expect(parseStateStatus({ release })).toEqual({ downloading: false, runs });
  },
);
