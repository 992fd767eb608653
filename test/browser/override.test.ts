import type { Page } from '../support/page';
import type { Sidecar } from '../support/sidecar';
import { open, start, useBrowser } from './sidecar-page';

useBrowser();

const SETTINGS = { UPDATE_LOCK_WINDOWS: 'never', UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' };

/** Which of the fields are marked as wrong. */
const INVALID = "['override-for', 'token'].map((id) => document.getElementById(id).ariaInvalid).join()";

async function overrideOf(sidecar: Sidecar): Promise<unknown> {
  return (await sidecar.send('GET', '/v1/override')).body;
}

/** In the field that has the focus, in place of what is in it. */
async function fill(page: Page, text: string): Promise<void> {
  await page.run('document.activeElement.select()');
  await page.type(text);
}

async function allow(page: Page, forHowLong: string, reason: string): Promise<void> {
  await page.click('Allow updates for…');
  expect(await page.focused()).toBe('override-for');
  await fill(page, forHowLong);
  await page.press('Tab');
  await page.type(reason);
}

test('updates are allowed for a time, with a reason and the admin token, and one click ends that', async () => {
  const sidecar = await start(SETTINGS);
  const page = await open(sidecar);
  await page.shows('and somebody has to allow them.', '#summary');
  await page.shows('Nobody allows or holds updates by hand.', '#override');
  await allow(page, '2h', 'agreed with the shop');
  await page.press('Tab');
  await page.type('admin-token');
  await page.press('Enter');
  await page.shows(/Updates allowed.*Reason\s+agreed with the shop.*Until\s.*in 1 h 59 min/s, '#override');
  await page.shows('updates are allowed by hand (agreed with the shop) until', '#summary');
  await page.shows(/allows updates for 2h agreed with the shop/, '#events');
  expect(await overrideOf(sidecar)).toMatchObject({ updates: 'allow', reason: 'agreed with the shop', inForce: true });
  await page.click('End the override');
  await page.shows('Nobody allows or holds updates by hand.', '#override');
  await page.shows('ended the override', '#events');
  expect(await page.focused()).toBe('By hand');
  expect(await overrideOf(sidecar)).toMatchObject({ code: 'not-found' });
});

test('updates are held, and another override replaces that', async () => {
  const sidecar = await start({ UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' });
  const page = await open(sidecar);
  await page.click('Hold updates for…');
  await fill(page, '30m');
  await page.run("document.querySelector('#token').focus()");
  await page.type('admin-token');
  await page.click('Hold updates');
  await page.shows(/Updates held.*Until\s.*in 29 min/s, '#override');
  await page.shows(/@override.*Until\s.*in 29 min/s, '#leases');
  await page.shows('Held', '#badge');
  // The token is known by now.
  await page.click('Allow updates for…');
  expect(await page.run("document.querySelector('#token-field').hidden")).toBe(true);
  await page.press('Enter');
  await page.shows('Updates allowed', '#override');
  await page.shows('Free', '#badge');
});

test('what is wrong is said where it is wrong', async () => {
  const sidecar = await start(SETTINGS);
  const page = await open(sidecar);
  await allow(page, 'soon', '');
  await page.press('Enter');
  await page.shows('Admin token is missing.', '#question-error');
  expect(await page.focused()).toBe('token');
  await page.type('amdin-token');
  await page.press('Enter');
  await page.shows('An override needs the admin token, and the token that was sent is not the admin token.', '#question-error');
  expect(await page.focused()).toBe('token');
  expect(await page.run(INVALID)).toBe('false,true');
  expect(await page.run('sessionStorage.length')).toBe(0);
  await page.type('admin-token');
  await page.press('Enter');
  await page.shows('"soon" is not a duration', '#question-error');
  expect(await page.focused()).toBe('override-for');
  expect(await page.run(INVALID)).toBe('true,false');
  await fill(page, '1h');
  await page.press('Enter');
  await page.shows('Updates allowed', '#override');
});

test('a token that the sidecar does not know any more is asked for again, also by the one click', async () => {
  const sidecar = await start(SETTINGS);
  await sidecar.send('PUT', '/v1/override', { json: { updates: 'hold', for: '1h' }, headers: { Authorization: 'Bearer admin-token' } });
  const page = await open(sidecar);
  await page.click('End the override');
  await page.shows('End the override?', 'dialog');
  expect(await page.run("['override-fields', 'question-affected'].map((id) => document.getElementById(id).checkVisibility()).join()")).toBe('false,false');
  await page.press('Escape');
  await page.run("sessionStorage.setItem('update-lock-token', 'a-former-token')");
  await page.click('End the override');
  await page.shows('the token that was sent is not the admin token', '#question-error');
  await page.type('admin-token');
  await page.press('Enter');
  await page.shows('Nobody allows or holds updates by hand.', '#override');
});

test('a sidecar without an admin token says so', async () => {
  const page = await open(await start());
  await allow(page, '1h', '');
  await page.press('Tab');
  await page.type('any-token');
  await page.press('Enter');
  await page.shows('An override needs the admin token, and the sidecar has none: UPDATE_LOCK_ADMIN_TOKEN is not set.', '#question-error');
});

test('its fields are for it alone', async () => {
  const sidecar = await start();
  await sidecar.put('app');
  const page = await open(sidecar);
  await page.click('Hold updates for…');
  await page.press('Escape');
  await page.click('Release app…');
  expect(await page.run("['override-fields', 'question-affected'].map((id) => document.getElementById(id).checkVisibility()).join()")).toBe('false,true');
  await page.click('Release');
  await page.shows('app let go', '#events');
});
