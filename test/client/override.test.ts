import { UpdateLock } from '../../client/src/index';
import { Sidecar } from '../support/sidecar';

afterEach(async () => {
  await Sidecar.cleanUp();
});

async function start(): Promise<{ admin: UpdateLock; app: UpdateLock }> {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_ADMIN_TOKEN: 'admin' } });
  const url = `unix:${sidecar.socketPath}`;
  return { admin: new UpdateLock({ url, token: 'admin' }), app: new UpdateLock({ url, token: 'app' }) };
}

test('an override is given with the admin token, read by everybody, and ended', async () => {
  const { admin, app } = await start();
  expect(await app.override()).toBeNull();
  const given = await admin.setOverride({ updates: 'hold', for: '30m', reason: 'stocktaking' });
  expect(given).toMatchObject({ updates: 'hold', reason: 'stocktaking', inForce: true });
  expect(Date.parse(given.until) - Date.parse(given.since)).toBe(1_800_000);
  expect(await app.override()).toEqual(given);
  expect((await app.leases()).map(({ name }) => name)).toEqual(['@override']);
  await admin.clearOverride();
  await admin.clearOverride();
  expect([await app.override(), await app.leases()]).toEqual([null, []]);
});

test('another token is refused, and so are wrong values', async () => {
  const { admin, app } = await start();
  const refused = { name: 'NotAllowedError', code: 'forbidden', message: expect.stringContaining('is not the admin token') as string };
  await expect(app.setOverride({ updates: 'allow', for: 60 })).rejects.toMatchObject(refused);
  await expect(app.clearOverride()).rejects.toMatchObject(refused);
  const wrong = { name: 'InvalidRequestError', code: 'invalid' };
  await expect(admin.setOverride({ updates: 'allow', for: 'soon' })).rejects.toMatchObject(wrong);
  await expect(admin.setOverride({ updates: 'allow', for: '31d' })).rejects.toMatchObject(wrong);
  await expect(admin.setOverride({ updates: 'alow' as 'allow', for: '1h' })).rejects.toMatchObject(wrong);
});
