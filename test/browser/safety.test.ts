import type { Page } from '../support/page';
import { makeFolder } from '../support/sidecar';
import { expectSecurityHeaders } from '../conformance/expectations';
import { open, start, startWaiting, urlOf, useBrowser } from './sidecar-page';

useBrowser();

const HOSTILE = [
  '<script>hacked = true</script>',
  '<img src=x onerror="hacked = true">',
  '"><svg onload=hacked=true>',
  "';hacked=true;//",
  '</ul></main><h1>owned</h1>',
  'javascript:hacked=true',
  '\u202Egnissecorp \u2066 \u2067 \u200F',
  '\u0000\u0007\u001b[31m\r\nnew line',
  'Z\u0351\u036b\u0343\u036a'.repeat(50),
  'W'.repeat(256),
  '${hacked = true} {{hacked}} $& $1 $`',
];

/** What a page of ours never has, whatever apps say. */
async function expectHarmless(page: Page): Promise<void> {
  expect(await page.run('typeof hacked')).toBe('undefined');
  expect(await page.run("document.querySelectorAll('main script, main img, main iframe, main object, main h1, main style').length")).toBe(0);
  expect(await page.run('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  expect(page.complaints).toEqual([]);
}

test('names and reasons are text, whatever they say, and keep to their place', async () => {
  const sidecar = await start();
  const page = await open(sidecar, { width: 360, height: 700 });
  for (const [index, reason] of HOSTILE.entries()) {
    await sidecar.put(`app-${String(index)}`, { reason });
    await page.shows(`app-${String(index)}`, '#leases');
    await expectHarmless(page);
    await page.click(`Release app-${String(index)}…`);
    await page.shows(`Release app-${String(index)}?`, 'dialog');
    await expectHarmless(page);
    await page.click('Release');
    await page.shows(`app-${String(index)} let go`, '#events');
    await expectHarmless(page);
  }
  for (const [index, reason] of HOSTILE.entries()) await sidecar.put(`${'N'.repeat(62)}${String(index).padStart(2, '0')}`, { reason });
  await page.shows(String(HOSTILE.length), '#lease-count');
  await page.shows('<script>hacked = true</script>', '#leases');
  await expectHarmless(page);
  // Nothing turns the text around, or hides in it.
  expect(await page.text()).not.toMatch(/\p{Cf}/u);
});

test('what is in the way of the lock may have any name', async () => {
  const folder = `${makeFolder()}/<img src=x onerror=hacked=true>`;
  const { sidecar } = await startWaiting({ UPDATE_LOCK_DIR: folder });
  const page = await open(sidecar);
  await page.shows('<img src=x', '#paths');
  await expectHarmless(page);
});

test('it asks nobody but the sidecar it came from, and the browser has nothing to complain of', async () => {
  const { sidecar, supervisor } = await startWaiting({ UPDATE_LOCK_ADMIN_TOKEN: 'admin-token' });
  const page = await open(sidecar);
  await page.click('Force the update…');
  await page.type('admin-token');
  await page.press('Enter');
  await supervisor.replacing();
  await supervisor.settle();
  await page.shows('No update is waiting any more', '#events');
  const asked = new Set(page.requests.filter((url) => !url.startsWith('data:')).map((url) => url.replace(urlOf(sidecar), '/')));
  expect([...asked].sort()).toEqual(['/', '/healthz', '/v1/events', '/v1/history', '/v1/update']);
  expect(page.complaints).toEqual([]);
});

test('it is one document of less than 40 KB, under a policy that allows its own style and script and no other', async () => {
  const sidecar = await start();
  const { status, headers, text } = await sidecar.send('GET', '/');
  expect(status).toBe(200);
  expectSecurityHeaders(headers);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(Buffer.byteLength(text)).toBeLessThan(40_000);
  expect(text).not.toMatch(/ (style|on\w+)=|<script [^>]*src|<link [^>]*stylesheet/);
  const policy = String(headers['content-security-policy']).split('; ');
  expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]));
  expect(policy.join()).not.toMatch(/unsafe|\*|https?:/);
});

test('what somebody gets into the page all the same neither runs nor reaches anybody', async () => {
  const sidecar = await start();
  const page = await open(sidecar);
  await page.run("(() => { const script = document.createElement('script'); try { script.textContent = 'hacked = true'; } catch {} document.body.append(script); })()");
  await page.run("(() => { try { document.body.innerHTML = '<img src=x onerror=\"hacked = true\">'; } catch {} })()");
  expect(await page.run("fetch('http://127.0.0.1:9/', { mode: 'no-cors' }).then(() => 'sent', () => 'refused')")).toBe('refused');
  expect(await page.run('typeof hacked')).toBe('undefined');
  expect(page.complaints.join()).toContain('Content Security Policy');
});
