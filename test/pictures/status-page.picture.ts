import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, start, startWaiting, useBrowser } from '../browser/sidecar-page';
import type { Page } from '../support/page';
import { REPOSITORY } from '../support/markdown';

useBrowser();

/** A phone, or half of a screen, at twice its pixels. */
const SIZE = { width: 560, height: 620, scale: 2 };

async function draw(page: Page, name: string): Promise<void> {
  writeFileSync(join(REPOSITORY, 'docs/images', name), await page.screenshot());
}

test('free', async () => {
  const page = await open(await start(), SIZE);
  await page.shows('Free', '#badge');
  await draw(page, 'status-page-free.png');
});

test('an update waits for two apps', async () => {
  const { sidecar } = await startWaiting({ UPDATE_LOCK_DEADLINE: '24h' });
  await sidecar.put('recorder', { ttl: '20m', reason: 'recording' });
  const page = await open(sidecar, SIZE);
  await page.shows('Held, update waiting', '#badge');
  await page.shows('recorder', '#leases');
  await draw(page, 'status-page.png');
});

test('the update is applied', async () => {
  const { sidecar } = await startWaiting();
  const page = await open(sidecar, { ...SIZE, scheme: 'dark' });
  await sidecar.release('app');
  await page.shows('Updating', '#badge');
  // As on a device, where the folder has another name than in a test.
  await page.run(`(({ firstChild }) => (firstChild.data = firstChild.data.replace(/\\(.*\\//, '(/tmp/balena/')))(document.querySelector('#summary'))`);
  await draw(page, 'status-page-updating.png');
});
