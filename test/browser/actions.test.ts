import { until } from '../support/until';
import { open, start, startWaiting, useBrowser } from './sidecar-page';

useBrowser();

const STORED = 'JSON.stringify([Object.values(sessionStorage), Object.values(localStorage)])';
const IS_OPEN = "document.querySelector('dialog').open";

describe('a lease is released', () => {
  test('without a token where none is needed, once the reader has said so', async () => {
    const sidecar = await start();
    await sidecar.put('app', { reason: 'at work' });
    const page = await open(sidecar);
    await page.click('Release app…');
    await page.shows(/Release app\?.*app at work/s, 'dialog');
    expect(await page.run("document.querySelector('#token-field').hidden")).toBe(true);
    expect((await sidecar.send('GET', '/v1/leases/app')).status).toBe(200);
    await page.click('Release');
    await page.shows('app let go', '#events');
    await page.shows('Free', '#badge');
    expect(await page.run(STORED)).toBe('[[],[]]');
    expect(page.complaints).toEqual([]);
  });

  test('not if the reader thinks better of it', async () => {
    const sidecar = await start();
    await sidecar.put('app');
    const page = await open(sidecar);
    await page.click('Release app…');
    await page.click('Cancel');
    await until(async () => !(await page.run(IS_OPEN)));
    await page.click('Release app…');
    await page.press('Escape');
    await until(async () => !(await page.run(IS_OPEN)));
    expect(await page.focused()).toBe('Release app…');
    expect((await sidecar.send('GET', '/v1/leases/app')).status).toBe(200);
  });

  test('with the API token, which is asked for when it is needed and kept for this tab alone', async () => {
    const sidecar = await start({ UPDATE_LOCK_API_TOKEN: 'api-token' });
    await sidecar.put('one');
    await sidecar.put('two');
    const page = await open(sidecar);
    await page.click('Release one…');
    await page.click('Release');
    await page.shows('Changes over TCP need "Authorization: Bearer" with the API token.', '#question-error');
    expect(await page.focused()).toBe('token');
    await page.type('wrong');
    await page.press('Enter');
    await page.shows('The token that was sent is not the API token.', '#question-error');
    expect(await page.run(STORED)).toBe('[[],[]]');
    await page.type('two words');
    await page.press('Enter');
    await page.shows('ASCII characters without spaces', '#question-error');
    await page.type('api-token');
    await page.press('Enter');
    await page.shows('one let go', '#events');
    expect(await page.run(STORED)).toBe('[["api-token"],[]]');
    await page.click('Release two…');
    expect(await page.run("document.querySelector('#token-field').hidden")).toBe(true);
    await page.click('Release');
    await page.shows('two let go', '#events');
    await page.click('Forget the token');
    expect(await page.run(STORED)).toBe('[[],[]]');
  });

  test('or it is said in words why not', async () => {
    const sidecar = await start();
    await sidecar.put('app');
    const page = await open(sidecar);
    await page.click('Release app…');
    await sidecar.kill();
    await page.click('Release');
    await page.shows('The sidecar cannot be reached.', '#question-error');
  });
});

describe('an update is forced', () => {
  test('with the admin token, after a question that names who is cut off', async () => {
    const { sidecar, supervisor } = await startWaiting({ UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' });
    const page = await open(sidecar);
    await page.click('Force the update…');
    await page.shows(/Force the update\?.*app at work/s, 'dialog');
    // Whoever comes meanwhile is cut off too.
    await sidecar.put('late', { reason: 'just begun' });
    await page.shows(/app at work\s+late just begun/, '#question-affected');
    await page.press('Enter');
    await page.shows('Admin token is missing.', '#question-error');
    await page.type('wrong');
    await page.press('Enter');
    await page.shows('Forcing an update needs the admin token, and the token that was sent is not the admin token.', '#question-error');
    expect(supervisor.requests('/v1/update')).toEqual([]);
    await page.type('admin-token');
    await page.press('Enter');
    await supervisor.replacing();
    await page.shows('Updating', '#badge');
    await page.shows('app lost the lock', '#events');
    expect(supervisor.requests('/v1/update')).toHaveLength(1);
  });

  test('not with the API token, which is kept for what it is good for', async () => {
    const { sidecar } = await startWaiting({ UPDATE_LOCK_API_TOKEN: 'api-token', UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' });
    await sidecar.put('other');
    const page = await open(sidecar);
    await page.click('Release other…');
    await page.click('Release');
    await page.shows('Changes over TCP need', '#question-error');
    await page.type('api-token');
    await page.press('Enter');
    await page.shows('other let go', '#events');
    await page.click('Force the update…');
    await page.click('Force the update');
    await page.shows('Forcing an update needs the admin token', '#question-error');
    await page.type('wrong');
    await page.press('Enter');
    await page.shows('The token that was sent is neither the API token nor the admin token.', '#question-error');
    expect(await page.run(STORED)).toBe('[["api-token"],[]]');
  });

  test('or it is said in words why not', async () => {
    const { sidecar, supervisor } = await startWaiting({ UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' });
    const page = await open(sidecar);
    await supervisor.stopListening();
    await page.shows('not reachable', '#update');
    await page.click('Force the update…');
    await page.type('admin-token');
    await page.press('Enter');
    await page.shows('The Supervisor cannot be asked', '#question-error');
    expect((await sidecar.send('GET', '/v1/leases/app')).status).toBe(200);
  });

  test('only where one waits', async () => {
    const sidecar = await start();
    await sidecar.put('app');
    const page = await open(sidecar);
    await page.shows('Unknown', '#update');
    expect(await page.run("document.querySelector('#force').hidden")).toBe(true);
  });
});

test('everything can be done by the keyboard alone, and the focus is never lost', async () => {
  const { sidecar } = await startWaiting();
  await sidecar.put('other');
  const page = await open(sidecar);
  await page.press('Tab');
  expect(await page.focused()).toBe('Release app…');
  expect(await page.run("getComputedStyle(document.activeElement).outlineStyle")).toBe('solid');
  const order = [];
  for (let index = 0; index < 8; index += 1) {
    await page.press('Tab');
    order.push(await page.focused());
  }
  expect(order).toEqual(['Release other…', 'Force the update…', 'Allow updates for…', 'Hold updates for…', 'JSON', 'Metrics', 'Readiness', 'OpenAPI']);
  for (let index = 0; index < 7; index += 1) await page.press('Tab', true);
  expect(await page.focused()).toBe('Release other…');
  await page.press('Enter');
  await until(async () => (await page.run(IS_OPEN)) as boolean);
  expect(await page.focused()).toBe('Cancel');
  await page.press('Tab');
  expect(await page.focused()).toBe('Release');
  await page.press(' ');
  await page.shows('other let go', '#events');
  await until(async () => (await page.focused()).startsWith('Held by'));
  await page.press('Tab');
  expect(await page.focused()).toBe('Release app…');
  // What has the focus may go away by itself.
  await sidecar.release('app');
  await page.shows('app let go', '#events');
  await until(async () => (await page.focused()).startsWith('Held by'));
});
