import { writeFileSync } from 'node:fs';
import { Hold } from '../support/hold';
import { expectAccessible } from '../support/accessible';
import { open, start, startWaiting, useBrowser } from './sidecar-page';

useBrowser();

describe.each([['on a phone', { width: 390, height: 844 }], ['on a desktop', {}]])('%s', (_where, size) => {
  test('held by several, while an update waits', async () => {
    const { sidecar } = await startWaiting({ UPDATE_LOCK_HOLD_ON_START: '10m', UPDATE_LOCK_DEADLINE: '1h' });
    const hold = await Hold.open(sidecar.target, 'held');
    const page = await open(sidecar, size);
    await page.shows('3', '#lease-count');
    await expectAccessible(page);
    hold.close();
  });

  test('a question, and an error', async () => {
    const { sidecar } = await startWaiting();
    const page = await open(sidecar, size);
    await page.click('Force the update…');
    await expectAccessible(page);
    await page.type('wrong');
    await page.press('Enter');
    await page.shows('Forcing an update needs', '#question-error');
    await expectAccessible(page);
  });

  test('an override, and the question for one', async () => {
    const sidecar = await start({ UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' });
    const json = { updates: 'hold', for: '1h', reason: 'stocktaking' };
    await sidecar.send('PUT', '/v1/override', { json, headers: { Authorization: 'Bearer admin-token' } });
    const page = await open(sidecar, size);
    await page.shows('stocktaking', '#override');
    await expectAccessible(page);
    await page.click('Allow updates for…');
    await expectAccessible(page);
    await page.press('Enter');
    await page.shows('Admin token is missing.', '#question-error');
    await expectAccessible(page);
  });

  test('free, then somebody else\'s, then lost from sight', async () => {
    const sidecar = await start();
    const page = await open(sidecar, size);
    await expectAccessible(page);
    writeFileSync(sidecar.lockFiles[0] ?? '', '');
    await page.shows('Held by somebody else', '#badge');
    await expectAccessible(page);
    await sidecar.kill();
    await page.shows('Connection lost', '#connection');
    await expectAccessible(page);
  });
});

test('draining, in both schemes', async () => {
  const { sidecar } = await startWaiting({ UPDATE_LOCK_DEADLINE: '1s', UPDATE_LOCK_DEADLINE_GRACE: '10m' });
  await sidecar.logged('draining: the leases of apps end');
  await expectAccessible(await open(sidecar));
});

test('only the state is read out by itself, and neither every second nor at a renewal', async () => {
  const sidecar = await start();
  await sidecar.put('app', { ttl: '1h' });
  const page = await open(sidecar);
  expect(await page.run("[...document.querySelectorAll('[aria-live], [role=alert], [role=status], [role=log]')].map((each) => each.ariaLive)")).toEqual(['polite']);
  await page.run("(() => { const region = document.querySelector('[aria-live]'); announcements = 0; new MutationObserver(() => { if (region.ariaLive === 'polite') announcements += 1; }).observe(region, { subtree: true, childList: true, characterData: true }); })()");
  const before = await page.text('#leases .relative');
  await page.run(`new Promise((resolve) => { const node = document.querySelector('#leases .relative'); const wait = () => node.textContent === ${JSON.stringify(before)} ? setTimeout(wait, 20) : resolve(); wait(); })`);
  // A renewal moves the end, which is in the summary.
  const summary = await page.text('#summary');
  await sidecar.put('app', { ttl: '3h' });
  await page.shows('renewed', '#events');
  expect(await page.text('#summary')).not.toBe(summary);
  expect(await page.run('announcements')).toBe(0);
  await sidecar.put('other');
  await page.shows('app and other', '#summary');
  const announcements = (await page.run('announcements')) as number;
  expect(announcements).toBeGreaterThan(0);
  await sidecar.release('other');
  await sidecar.release('app');
  await page.shows('Free', '#badge');
  expect(await page.run('announcements')).toBeGreaterThan(announcements);
});

test('nothing moves for readers who want no motion', async () => {
  const sidecar = await start();
  await sidecar.put('app');
  const page = await open(sidecar, { reducedMotion: true });
  const durations = (await page.run("[...document.querySelectorAll('*')].map((each) => getComputedStyle(each)).map(({ transitionDuration, animationName }) => transitionDuration + animationName)")) as string[];
  expect([...new Set(durations)]).toEqual(['0snone']);
});
