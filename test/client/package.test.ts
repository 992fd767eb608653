import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { removeFolder } from '../support/remove-folder';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';

const ROOT = resolve(__dirname, '../..');
const README = readFileSync(join(ROOT, 'client/README.md'), 'utf8');
const BLOCKS = [...README.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }));

/** A compiler that checks every library is slow, and more so on a busy machine. */
const COMPILER_MS = 180_000;

const ADMIN_TOKEN = 'the-admin-token';

/** An empty project of somebody who has installed the package, from what `npm pack` makes. */
let project = '';
let url = '';

beforeAll(async () => {
  project = makeFolder();
  const npm = (...args: string[]): string =>
    execFileSync('npm', [...args, '--no-audit', '--no-fund', '--offline', '--ignore-scripts'], { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  npm('pack', join(ROOT, 'client'), '--silent');
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(join(project, 'package.json'), '{ "name": "newcomer", "private": true }');
  const install = BLOCKS.find(({ language }) => language === 'sh')?.text.trim();
  expect(install).toBe('npm install update-lock-client');
  npm('install', `./${tarball}`);
  // What a project in TypeScript has beside it.
  mkdirSync(join(project, 'node_modules/@types'));
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  symlinkSync(join(ROOT, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'));
  url = await startDevice();
}, COMPILER_MS);

afterAll(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
  await removeFolder(project);
});

/** A device on which an update waits, held back by another app. Returns where its sidecar is asked. */
async function startDevice(): Promise<string> {
  const folder = makeFolder();
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')] });
  const sidecar = await Sidecar.start({ folder, environment: { ...supervisor.environment, UPDATE_LOCK_ADMIN_TOKEN: ADMIN_TOKEN } });
  await sidecar.put('another', { ttl: '24h' });
  await supervisor.pushRelease();
  await sidecar.logged('update pending');
  return `unix:${sidecar.socketPath}`;
}

function write(name: string, text: string): string {
  writeFileSync(join(project, name), text);
  return name;
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Not synchronous: the Supervisor's stand-in is in this process. */
async function run(...args: string[]): Promise<Run> {
  const env = { PATH: process.env['PATH'], UPDATE_LOCK_URL: url, ADMIN_TOKEN };
  const child: ChildProcess = spawn(process.execPath, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream]?.setEncoding('utf8').on('data', (chunk: string) => (output[stream] += chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...output };
}

/** Compiles with all that a careful project would turn on. */
async function compile(options: readonly string[], ...files: string[]): Promise<Run> {
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false', '--types', 'node', '--target', 'es2022'];
  return run(join(ROOT, 'node_modules/typescript/bin/tsc'), ...strict, ...options, ...files);
}

test('the package has what it needs, and nothing else', () => {
  const files = readdirSync(join(project, 'node_modules/update-lock-client'), { recursive: true, encoding: 'utf8' });
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.mjs', 'dist/index.d.ts', 'dist/index.d.mts']));
  const strange = files.filter((name) => !/^(LICENSE|README\.md|package\.json|dist|dist\/.*\.(js|cjs|mjs|d\.ts|d\.mts)|dist\/[a-z-]+)$/.test(name));
  expect(strange).toEqual([]);
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
  expect(statSync(join(project, tarball)).size).toBeLessThan(65_000);
});

test('the package depends on nothing but Node.js', () => {
  const installed = join(project, 'node_modules/update-lock-client');
  const { dependencies, peerDependencies, scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
  // Nothing is run where it is installed.
  expect([dependencies, peerDependencies, Object.keys(scripts as object)]).toEqual([undefined, undefined, ['prepack']]);
  const sources = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('js'));
  const required = sources.flatMap((name) => [...readFileSync(join(installed, 'dist', name), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)].map(([, what = '']) => what));
  expect(required.filter((what) => !/^(node:|\.{1,2}\/)/.test(what))).toEqual([]);
});

test('there is one copy of the classes, however they are loaded', async () => {
  const file = write('both.mjs', `
    import * as imported from 'update-lock-client';
    import { createRequire } from 'node:module';
    const required = createRequire(import.meta.url)('update-lock-client');
    const names = Object.keys(required).sort();
    const error = await new imported.UpdateLock({ url: 'unix:/nowhere' }).hold({ wait: 0 }).catch((caught) => caught);
    console.log(JSON.stringify([names, names.every((name) => imported[name] === required[name]), error instanceof required.UnreachableError]));
  `);
  const { stdout, stderr } = await run(file);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    ['InvalidRequestError', 'LockLostError', 'LockUnavailableError', 'NotAllowedError', 'UnreachableError', 'UpdateLock', 'UpdateLockError'],
    true,
    true,
  ]);
});

describe('its types', () => {
  const PROGRAM = `
    const lock = new UpdateLock({ url: 'http://localhost:8080' });
    async function program(): Promise<void> {
      const length: number = await lock.hold({ name: 'a', wait: '1s' }, async (signal: AbortSignal) => (signal.aborted ? 'a' : 'b').length);
      const sync: 'x' = await lock.hold({}, () => 'x' as const);
      const alone: number = await lock.hold(async () => 1);
      await using held: Hold = await lock.hold({ onUpdate: ({ pending }) => { console.log(pending satisfies boolean); } });
      const lease: Lease = await lock.acquire({ ttl: 5 });
      const ended: EndedLease | null = await lock.release(lease.name);
      for await (const { type, data } of lock.events()) {
        if (type === 'lease') console.log(data.name);
        if (type === 'lock') console.log(data.snapshot satisfies boolean);
      }
      // @ts-expect-error there is no such option
      await lock.acquire({ tll: 5 });
      const error: unknown = new LockLostError('', 'lost');
      if (error instanceof UpdateLockError) console.log(error.code, length, sync, alone, held.name, ended?.ended.at);
    }
    void program;
  `;
  const IMPORTED = `import { LockLostError, UpdateLock, UpdateLockError, type EndedLease, type Hold, type Lease } from 'update-lock-client';\n`;

  test('are right for ES modules and CommonJS', async () => {
    const required = `import client = require('update-lock-client');\nimport type { EndedLease, Hold, Lease } from 'update-lock-client';\nconst { LockLostError, UpdateLock, UpdateLockError } = client;\n`;
    const files = [write('esm.mts', IMPORTED + PROGRAM), write('cjs.cts', IMPORTED + PROGRAM), write('required.cts', required + PROGRAM)];
    expect(await compile(['--module', 'nodenext', '--noEmit'], ...files)).toEqual({ status: 0, stdout: '', stderr: '' });
  }, COMPILER_MS);

  test('are right for a bundler', async () => {
    const file = write('bundled.ts', IMPORTED + PROGRAM);
    expect(await compile(['--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit'], file)).toEqual({ status: 0, stdout: '', stderr: '' });
  }, COMPILER_MS);
});

describe('the README', () => {
  const PROGRAMS = BLOCKS.filter(({ language }) => language !== 'sh').map(({ language, text }, number) => {
    const extension = language === 'ts' ? 'mts' : text.includes('require(') ? 'cjs' : 'mjs';
    return { title: text.split('\n').find((line) => /await|then/.test(line))?.trim() ?? '', file: `readme-${String(number)}.${extension}`, text };
  });

  test('has programs that a compiler agrees with', async () => {
    for (const { file, text } of PROGRAMS) write(file, text);
    const files = PROGRAMS.map(({ file }) => file);
    expect(await compile(['--module', 'nodenext', '--allowJs', '--checkJs', '--outDir', 'out'], ...files)).toEqual({ status: 0, stdout: '', stderr: '' });
  }, COMPILER_MS);

  test.each(PROGRAMS)('has a program that works: $title', async ({ file, text }) => {
    write(file, text);
    const ran = await run(file.endsWith('.mts') ? join('out', file.replace('.mts', '.mjs')) : file);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    if (text.includes('console.log(result)')) expect(ran.stdout).toBe('the result\n');
  });
});
