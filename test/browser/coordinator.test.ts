import { expectAccessible } from '../support/accessible';
import { Browser } from '../support/browser';
import { ADMIN_TOKEN, Coordinator } from '../support/coordinator';
import type { Page } from '../support/page';

jest.setTimeout(120_000);

let browser: Browser;
let coordinator: Coordinator;
let page: Page;

beforeAll(async () => {
  browser = await Browser.start();
});
afterAll(() => browser.close());

beforeEach(async () => {
  coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=1; canary=5', COORDINATOR_STALE_AFTER: '1s' });
  for (const id of ['press-17', 'press-18', '<img/src=x/onerror="hacked=true">']) await coordinator.ask(id);
  page = await browser.open(coordinator.url.href, { width: 360, height: 700 });
  await page.shows('Live', '#connection');
});
afterEach(async () => {
  expect(await page.run('typeof hacked')).toBe('undefined');
  expect(page.complaints.filter((text) => !text.includes('status of 403'))).toEqual([]);
  expect(await page.run('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(page.requests.filter((url) => !url.startsWith(coordinator.url.href) && !url.startsWith('data:'))).toEqual([]);
  await Coordinator.cleanUp();
});

/** Types the token into the dialog, in place of what is there. */
async function typeToken(token: string): Promise<void> {
  await page.run("document.getElementById('token').value = ''; document.getElementById('token').focus()");
  await page.type(token);
}

test('it shows groups, who has a turn and who waits, and what changes', async () => {
  for (const text of ['default', 'canary', 'Turns: 1 of 1', 'press-17', 'Waiting: 2', 'press-18', '<img/src=x/onerror="hacked=true">', 'Stale', 'No device has a turn.']) {
    await page.shows(text, 'main');
  }
  await coordinator.giveBack('press-17');
  await coordinator.ask('press-18');
  await page.shows('Waiting: 1', 'main');
  await page.showsNot('press-17', 'main');
});

test('an admin pauses and resumes; a wrong token is told, and the right one is kept', async () => {
  await page.click('Pause default…');
  await page.shows('Pause default?', 'dialog');
  await typeToken('wrong');
  await page.click('Pause');
  await page.shows('the token that was sent is not the admin token', 'dialog');
  expect((await coordinator.group()).paused).toBe(false);
  await typeToken(ADMIN_TOKEN);
  await page.click('Pause');
  await page.shows('Paused', 'main');
  expect((await coordinator.group()).paused).toBe(true);
  await page.click('Resume default…');
  await page.click('Resume');
  await page.showsNot('Paused', 'main');
  expect((await coordinator.group()).paused).toBe(false);
});

test('everybody can use it', async () => {
  await expectAccessible(page);
  await page.click('Pause default…');
  await expectAccessible(page);
  await typeToken('wrong');
  await page.click('Pause');
  await page.shows('the token that was sent is not the admin token', 'dialog');
  await expectAccessible(page);
});

test('an admin releases a turn', async () => {
  await page.click('Release press-17…');
  await page.shows('Another device of default gets its turn.', 'dialog');
  await typeToken(ADMIN_TOKEN);
  await page.click('Release');
  await page.showsNot('press-17', 'main');
  expect(await coordinator.holders()).toEqual([]);
});

test('it says when the coordinator is gone', async () => {
  await coordinator.kill();
  await page.shows('Not reachable', '#connection');
  page.complaints.length = 0;
});
