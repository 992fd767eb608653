import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeFolder } from '../support/remove-folder';
import { makeFolder } from '../support/sidecar';
import { blocksOf, REPOSITORY } from '../support/markdown';

const run = promisify(execFile);
const BLOCKS = blocksOf('docs/clients.md');
const { version: VERSION } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };

let folder: string;

beforeEach(() => {
  folder = makeFolder();
  for (const name of ['bin', 'project']) mkdirSync(join(folder, name));
});
afterEach(() => removeFolder(folder));

/** npm and pip without a network, and without installing and building the clone once more. */
function writeInstallers(): void {
  const npm = execFileSync('which', ['npm'], { encoding: 'utf8' }).trim();
  writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh
case "$*" in
  ci | 'run build') exit ;;
  'pack -w client') set -- "$@" --ignore-scripts --silent ;;
esac
exec '${npm}' --offline --no-audit --no-fund "$@"
`);
  writeFileSync(join(folder, 'bin/pip'), `#!/bin/sh\nexec pip3 "$@"\n`);
  for (const name of ['npm', 'pip']) chmodSync(join(folder, 'bin', name), 0o755);
}

/** Runs commands as they are written, beside a clone that is installed and built. */
async function follow(commands: string): Promise<void> {
  writeInstallers();
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    PIP_NO_INDEX: '1',
    PIP_TARGET: join(folder, 'python'),
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
  };
  await run('sh', ['-ec', commands], { cwd: join(folder, 'project'), env });
}

/** The library, imported in both ways, and the command. */
async function expectNodePackage(): Promise<void> {
  const project = join(folder, 'project');
  const script = `import { UpdateLock } from 'update-lock-client'; import { createRequire } from 'node:module';
    console.log(typeof UpdateLock, typeof createRequire(import.meta.url)('update-lock-client').UpdateLock)`;
  writeFileSync(join(project, 'program.mjs'), script);
  expect((await run('node', ['program.mjs'], { cwd: project })).stdout).toBe('function function\n');
  expect((await run(join(project, 'node_modules/.bin/update-lock'), ['--version'])).stdout).toContain(VERSION);
}

async function expectPythonModule(): Promise<void> {
  const { stdout } = await run('python3', ['-c', 'import update_lock; print(update_lock.__version__, update_lock.UpdateLock.__name__)'], {
    env: { ...process.env, PYTHONPATH: join(folder, 'python') },
  });
  expect(stdout).toBe(`${VERSION} UpdateLock\n`);
  expect(existsSync(join(folder, 'python/update_lock/py.typed'))).toBe(true);
}

describe('from a clone', () => {
  const commands = BLOCKS.filter(({ heading, language }) => heading === 'From a clone' && language === 'sh').map(({ text }) => text);
  const [linked = '', packed = '', python = ''] = commands;

  beforeEach(() => {
    const clone = join(folder, 'project/update-lock');
    for (const name of ['package.json', 'package-lock.json', 'client']) cpSync(join(REPOSITORY, name), join(clone, name), { recursive: true });
  });

  test.each([['linked', linked], ['packed', packed]])('the package for Node.js is installed, %s', async (_how, text) => {
    await follow(text);
    await expectNodePackage();
  }, 120_000);

  test('the module for Python is installed', async () => {
    expect(commands).toHaveLength(3);
    await follow(python);
    await expectPythonModule();
  }, 120_000);
});

test('from the image all clients are installed, as its build lays them out', async () => {
  const [dockerfile = ''] = BLOCKS.filter(({ heading, language }) => heading === 'From the image' && language === 'dockerfile').map(({ text }) => text);
  await run('sh', ['image/assemble', join(folder, 'image')], { cwd: REPOSITORY });
  mkdirSync(join(folder, 'usr-local-bin'));
  const commands = [...dockerfile.matchAll(/^RUN (.*)$/gm)].map(([, command = '']) => command);
  expect(commands).toHaveLength(3);
  await follow(commands.join('\n').replaceAll('/usr/local/bin', join(folder, 'usr-local-bin')).replaceAll('/usr/share', join(folder, 'image/usr/share')));
  await expectNodePackage();
  await expectPythonModule();
  expect((await run(join(folder, 'usr-local-bin/update-lock'), ['--version'])).stdout).toContain(VERSION);
}, 120_000);

test('the wheel in the image is the one that pip builds', async () => {
  await run('node', ['scripts/wheel.mjs', folder], { cwd: REPOSITORY });
  const compare = `
import os, sys, zipfile
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import build_wheel
os.mkdir(os.path.join(sys.argv[2], 'pip'))
name = build_wheel.build_wheel(os.path.join(sys.argv[2], 'pip'))
ours, pips = (zipfile.ZipFile(os.path.join(sys.argv[2], path, name)) for path in ('', 'pip'))
assert ours.testzip() is None
assert {each: ours.read(each) for each in ours.namelist()} == {each: pips.read(each) for each in pips.namelist()}
print(len(ours.namelist()))
`;
  const { stdout } = await run('python3', ['-c', compare, join(REPOSITORY, 'client/python'), folder]);
  expect(Number(stdout)).toBeGreaterThanOrEqual(5);
});
