import { Proxy } from '../support/proxy';
import { open, portOf, start, urlOf, useBrowser } from './sidecar-page';

useBrowser();

test('a lost connection is shown, with what was known then; what happened meanwhile is told when it is back', async () => {
  const sidecar = await start();
  await sidecar.put('app');
  const proxy = await Proxy.start(portOf(sidecar));
  const page = await open(proxy.url);
  proxy.cut();
  await page.shows('Connection lost', '#connection');
  await page.shows(/The connection was lost at \d\d:\d\d:\d\d\. This page shows the last known state/, '#notice');
  await page.shows('held back by app', '#summary');
  expect(await page.run('document.title')).toBe('Connection lost · update-lock');
  await sidecar.put('other');
  await sidecar.release('app');
  proxy.mend();
  await page.shows('Live', '#connection');
  await page.showsNot('was lost', '#state');
  await page.shows(/app let go.*other took the lock.*app took the lock/s, '#events');
  await page.shows('held back by other', '#summary');
  proxy.close();
});

test('after a restart of the sidecar nothing is believed any more that was known before', async () => {
  const sidecar = await start();
  await sidecar.put('kept', { ttl: '1h' });
  await sidecar.put('gone', { ttl: '1h' });
  const page = await open(sidecar);
  await page.shows('2', '#lease-count');
  await sidecar.kill();
  await page.shows('Connection lost', '#connection');
  const again = await sidecar.startAgain({ UPDATE_LOCK_PORT: 'off' });
  await again.release('gone');
  await again.kill();
  const last = await again.startAgain({ UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_PORT: new URL(urlOf(sidecar)).port });
  await page.shows('Live', '#connection');
  await page.shows('1', '#lease-count');
  await page.showsNot('gone', '#leases');
  await page.shows(/kept kept the lock over a restart of the sidecar\s.*The sidecar started$/s, '#events');
  await page.shows('held back by kept', '#summary');
  await last.release('kept');
  await page.shows('kept let go', '#events');
});

test('a device whose clock is wrong has its times shown by that clock', async () => {
  const sidecar = await start();
  await sidecar.put('app', { ttl: '10m' });
  const page = await open(sidecar);
  await page.run("(() => { const { now } = Date; Date.now = () => now() + 7_200_000; window.dispatchEvent(new Event('offline')); })()");
  await page.shows(/the device's clock, which is (2 h|1 h 59 min) behind yours/, '#zone');
  await page.shows(/in (9 min|10 min)/, '#leases');
});
