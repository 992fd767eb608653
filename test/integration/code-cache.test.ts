import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder } from '../support/remove-folder';
import { BUILT, makeFolder, Sidecar } from '../support/sidecar';

let folder: string;
let cache: string;

beforeEach(() => {
  folder = makeFolder();
  cpSync(BUILT, folder, { recursive: true });
  cache = join(folder, 'sidecar.cache');
});

afterEach(async () => {
  await Sidecar.cleanUp();
  await removeFolder(folder);
});

/** What V8 says of the cache: false if it was taken, true if not, undefined if V8 was not given any. */
function wasRejected(options = ''): unknown {
  const script = `console.log(require(${JSON.stringify(join(folder, 'main.js'))}).load().script.cachedDataRejected)`;
  const environment = { PATH: process.env['PATH'] ?? '', NODE_OPTIONS: options };
  return { false: false, true: true, undefined: undefined }[execFileSync(process.execPath, ['-e', script], { env: environment, encoding: 'utf8' }).trim()];
}

async function version(): Promise<unknown> {
  const sidecar = await Sidecar.start({ built: folder });
  return (await sidecar.logged('ready'))['version'];
}

test('V8 takes the code cache of the build', () => {
  expect(wasRejected()).toBe(false);
});

test('another bundle of the same length runs as it is, and not as the code cache has the former one', async () => {
  const bundle = join(folder, 'sidecar.js');
  const source = readFileSync(bundle, 'utf8');
  const { version: built } = JSON.parse(readFileSync(join(BUILT, '../../package.json'), 'utf8')) as { version: string };
  const other = built.replaceAll(/\d/g, '7');
  writeFileSync(bundle, source.replaceAll(`"${built}"`, `"${other}"`));
  expect(readFileSync(bundle)).toHaveLength(source.length);
  expect(await version()).toBe(other);
  expect(wasRejected()).toBeUndefined();
});

test.each<[string, () => void]>([
  ['missing', () => { rmSync(cache); }],
  ['empty', () => { truncateSync(cache); }],
  ['cut off', () => { truncateSync(cache, 100_000); }],
  ['worn', () => {
    const bytes = readFileSync(cache);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(cache, bytes);
  }],
  ['a directory', () => {
    rmSync(cache);
    cpSync(join(__dirname), cache, { recursive: true });
  }],
])('a sidecar whose code cache is %s starts without it', async (_, spoil) => {
  spoil();
  expect(wasRejected()).toBeUndefined();
  const sidecar = await Sidecar.start({ built: folder });
  expect((await sidecar.put('recorder')).status).toBe(201);
});

test('a sidecar under other flags of V8 starts, whether V8 takes the code cache or not', async () => {
  const sidecar = await Sidecar.start({ built: folder, environment: { NODE_OPTIONS: '--max-old-space-size=64' } });
  expect((await sidecar.put('recorder')).status).toBe(201);
});
