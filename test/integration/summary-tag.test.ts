import { Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';
import { startDevice, startWaiting } from '../support/updatable-device';

const TAGS = { UPDATE_LOCK_TAGS: 'update-lock' };
const PATH = '/v2/device/tags';

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

test.each([
  ['with the reason', {}, /^An update has been waiting since .* UTC; it is held back by app \(busy\) since .*, until it is released\. \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)$/],
  ['without the reason', { UPDATE_LOCK_TAGS_REASONS: 'off' }, /it is held back by app since /],
])('an update that is held back is in the tag at once, %s', async (_, settings, value) => {
  const { supervisor } = await startWaiting({}, { ...TAGS, ...settings });
  const { method, key, body } = await supervisor.history.next('request', (request) => request.method === 'PATCH' && request.path === PATH);
  expect({ method, key, body }).toEqual({ method: 'PATCH', key: 'header', body: { 'update-lock': expect.stringMatching(value) } });
});

test.each<[number, RegExp]>([
  [404, /need Supervisor 17\.8/],
  [500, /status 500/],
])('a Supervisor that answers a tag with %i is logged', async (status, detail) => {
  const { supervisor, sidecar } = await startDevice({}, TAGS);
  supervisor.answerWith(status, PATH);
  await sidecar.put('app');
  await supervisor.pushRelease();
  expect(await sidecar.logged('device tag cannot be written')).toMatchObject({ tag: 'update-lock', detail: expect.stringMatching(detail) });
});
