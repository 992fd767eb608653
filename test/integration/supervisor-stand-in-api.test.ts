import { rmSync, writeFileSync } from 'node:fs';
import { ask, attempts, cleanUp, device, start, startLocked, update } from '../support/supervisor/started';

/** Tests of what other tests rely on: that the stand-in answers as the Supervisor does. */

afterEach(cleanUp);

describe('its API', () => {
  test('wants the key, in the header or in the query, but not for a ping', async () => {
    const { supervisor } = await start({ apiKey: 'right' });
    const statusOf = async (path: string, authorization?: string): Promise<number> =>
      (await ask(supervisor, path, { headers: authorization === undefined ? {} : { Authorization: authorization } })).status;
    expect(await statusOf('/ping')).toBe(200);
    expect(await statusOf('/v1/device')).toBe(401);
    expect(await statusOf('/v1/device', 'Bearer wrong')).toBe(401);
    expect(await statusOf('/v1/device', 'Bearer right')).toBe(200);
    expect(await statusOf('/v1/device?apikey=right')).toBe(200);
    expect(await statusOf('/v1/nothing')).toBe(401);
    expect(await statusOf('/v1/nothing', 'Bearer right')).toBe(404);
    supervisor.apiKey = 'other';
    expect(await statusOf('/v2/state/status', 'Bearer right')).toBe(401);
    expect(supervisor.requests('/v1/device').map(({ key, status }) => [key, status])).toEqual([
      ['none', 401],
      ['header', 401],
      ['header', 200],
      ['query', 200],
    ]);
  });

  test('shows an update that waits for a lock as pending and failed, without a commit', async () => {
    const { supervisor, paths } = await start({ version: '17.6.1' });
    const idle = await device(supervisor);
    expect(idle).toMatchObject({ update_pending: false, update_failed: false, update_downloaded: false, status: 'Idle', supervisor_version: '17.6.1' });
    expect(idle['commit']).toMatch(/^[0-9a-f]{32}$/);
    writeFileSync(paths[0], '');
    await supervisor.pushRelease();
    await supervisor.history.next('back-off');
    const waiting = await device(supervisor);
    expect(waiting).toMatchObject({ update_pending: true, update_failed: true, update_downloaded: true, status: 'Idle', download_progress: null });
    expect(waiting).not.toHaveProperty('commit');
    expect((await ask(supervisor, '/v2/state/status')).body).toMatchObject({ appState: 'applying', overallDownloadProgress: null });

    rmSync(paths[0]);
    await update(supervisor, { cancel: true });
    await supervisor.settle();
    expect(await device(supervisor)).toMatchObject({ update_pending: false, update_failed: false, update_downloaded: false });
    expect((await ask(supervisor, '/v2/state/status')).body).toMatchObject({ appState: 'applied' });
  });

  test('shows a change of variables as not downloaded', async () => {
    const { supervisor, paths } = await start();
    writeFileSync(paths[1], '');
    await supervisor.pushRelease({ change: 'variables' });
    await supervisor.history.next('back-off');
    expect(await device(supervisor)).toMatchObject({ update_pending: true, update_failed: true, update_downloaded: false });
  });

  test('shows nothing of an update that Helios applies by itself, if told so', async () => {
    const { supervisor } = await startLocked({ version: 'helios', showsUpdates: false });
    expect(await device(supervisor)).toMatchObject({ update_pending: false, update_failed: false, commit: supervisor.device.current.release.commit });
    expect((await ask(supervisor, '/v2/state/status')).body).toMatchObject({ appState: 'applied' });
  });

  test('shows a check for updates as pending for a moment', async () => {
    const { supervisor } = await start();
    const checked = supervisor.check();
    expect(await device(supervisor)).toMatchObject({ update_pending: true, update_failed: false });
    checked();
    expect(await device(supervisor)).toMatchObject({ update_pending: false });
  });

  test('answers what cannot be parsed with 503, and ignores a body that it is not told to be JSON', async () => {
    const { supervisor } = await startLocked();
    expect((await ask(supervisor, '/v1/update', { method: 'POST', body: '{' })).status).toBe(503);
    const headers = { Authorization: `Bearer ${supervisor.apiKey}`, 'Content-Type': 'text/plain' };
    const asked = await ask(supervisor, '/v1/update', { method: 'POST', body: '{"cancel":true}', headers });
    expect(asked.status).toBe(204);
    expect(supervisor.requests('/v1/update').at(-1)?.body).toEqual({});
  });

  test('ignores calls without force while instant updates are off, and says so', async () => {
    const { supervisor, paths } = await start({ instantUpdates: false });
    writeFileSync(paths[0], '');
    await supervisor.pushRelease();
    expect(attempts(supervisor)).toEqual([]);
    await supervisor.poll();
    await supervisor.history.next('back-off');
    expect(await update(supervisor, { force: false, cancel: true })).toBe(202);
    expect(attempts(supervisor)).toEqual([['locked', false]]);
    expect(await update(supervisor, { force: true, cancel: true })).toBe(204);
    await supervisor.replacing();
  });

  test('accepts calls while the cloud cannot be reached, and does nothing', async () => {
    const { supervisor, paths } = await startLocked();
    rmSync(paths[0]);
    supervisor.goOffline();
    expect(await update(supervisor, { force: true, cancel: true })).toBe(204);
    supervisor.goOnline();
    expect(await update(supervisor, { force: false, cancel: true })).toBe(204);
    await supervisor.replacing();
    expect(attempts(supervisor)).toEqual([['locked', false], ['taken', false]]);
  });

  test('fails in all the ways there are', async () => {
    const { supervisor } = await start();
    supervisor.answerWith(503);
    expect(await update(supervisor)).toBe(503);
    supervisor.answerWith('garbage');
    await expect(ask(supervisor, '/v1/device')).rejects.toThrow('JSON');
    supervisor.answerWith('reset');
    await expect(ask(supervisor, '/v1/device')).rejects.toThrow('fetch failed');
    supervisor.answerWith('hang');
    await expect(ask(supervisor, '/v1/device', { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
    expect((await supervisor.history.next('request', ({ status }) => status === undefined)).path).toBe('/v1/device');
    supervisor.answerWith(undefined);
    supervisor.answerWith(500, '/v1/update');
    expect(await update(supervisor)).toBe(500);
    expect(await device(supervisor)).toMatchObject({ status: 'Idle' });

    const { port } = new URL(supervisor.address);
    await supervisor.stopListening();
    await expect(ask({ apiKey: '', address: `http://127.0.0.1:${port}` }, '/ping')).rejects.toThrow('fetch failed');
    await supervisor.listen(Number(port));
    expect(new URL(supervisor.address).port).toBe(port);
    expect(await device(supervisor)).toMatchObject({ status: 'Idle' });
  });
});

describe('a download', () => {
  test('of a newer image only shows by its progress and among the images', async () => {
    const { supervisor } = await start();
    await supervisor.pushRelease({ holdDownload: true });
    expect(await device(supervisor)).toMatchObject({ status: 'Idle', download_progress: null, update_pending: true, update_failed: false, update_downloaded: false });
    const { body } = await ask(supervisor, '/v2/state/status');
    expect(body).toMatchObject({ appState: 'applying', overallDownloadProgress: 0 });
    expect(body.images).toContainEqual(expect.objectContaining({ status: 'Downloading', downloadProgress: 0 }));
    supervisor.device.finishDownload();
    await supervisor.settle();
  });

  test('of an older image is the status', async () => {
    const { supervisor } = await start();
    await supervisor.pushRelease({ change: 'older image', holdDownload: true });
    supervisor.device.downloadProgress = 42;
    expect(await device(supervisor)).toMatchObject({ status: 'Downloading', download_progress: 42, update_pending: true });
  });

  test('is aborted and begun again by cancel, but only by Supervisors that know it', async () => {
    for (const [version, expected] of [['17.0.5', ['started']], ['17.1.0', ['started', 'aborted', 'started']]] as const) {
      const { supervisor } = await start({ version });
      await supervisor.pushRelease({ holdDownload: true });
      await update(supervisor, { cancel: true });
      if (expected.length > 1) await supervisor.history.next('download', ({ state }) => state === 'started', 2);
      expect(supervisor.history.of('download').map(({ state }) => state)).toEqual(expected);
      expect(supervisor.requests('/v1/update')).toMatchObject([{ body: { cancel: true }, whileDownloading: true }]);
    }
  });
});

test('it names the commit that the device is to have, while that waits too', async () => {
  const { supervisor } = await startLocked();
  const commit = supervisor.device.target.release.commit;
  expect(commit).not.toBe(supervisor.device.current.release.commit);
  expect((await ask(supervisor, '/v2/applications/state')).body).toMatchObject({ fleet: { appId: 1, commit } });
});
