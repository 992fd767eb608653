import { execFile, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { holdsBackHost, supervisorForces, supervisorUnlocks } from '../support/readers';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { endAll, hasStarted, overTcp, recipe, start } from './recipe';

const compile = promisify(execFile);

interface Language {
  readonly name: string;
  /** The commands that have to be there. */
  readonly tools: readonly string[];
  readonly source: string;
  readonly compile: readonly [string, ...string[]];
  readonly run: readonly string[];
  readonly noticesLoss: boolean;
  /** Whether the recipes have the few lines that differ over TCP. */
  readonly hasTcp: boolean;
}

const LANGUAGES: readonly Language[] = [
  { name: 'Go', tools: ['go'], source: 'motor.go', compile: ['go', 'build', '-o', 'motor', 'motor.go'], run: ['./motor'], noticesLoss: true, hasTcp: true },
  { name: 'Rust', tools: ['rustc'], source: 'motor.rs', compile: ['rustc', '--edition', '2021', '-D', 'warnings', '-o', 'motor', 'motor.rs'], run: ['./motor'], noticesLoss: true, hasTcp: true },
  { name: 'C#', tools: ['mcs', 'mono'], source: 'motor.cs', compile: ['mcs', '-langversion:7', '-warnaserror', '-out:motor.exe', 'motor.cs'], run: ['mono', 'motor.exe'], noticesLoss: true, hasTcp: true },
  { name: 'Java', tools: ['javac', 'java'], source: 'UpdateLock.java', compile: ['javac', '-Xlint:all,-try', '-Werror', 'UpdateLock.java'], run: ['java', 'UpdateLock'], noticesLoss: true, hasTcp: true },
  { name: 'C', tools: ['gcc'], source: 'motor.c', compile: ['gcc', '-Wall', '-Wextra', '-Werror', '-O2', '-o', 'motor', 'motor.c'], run: ['./motor'], noticesLoss: false, hasTcp: false },
];

const missingTools = ({ tools }: Language): string[] =>
  tools.filter((tool) => !(process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool))));

afterEach(async () => {
  endAll();
  await Sidecar.cleanUp();
});

for (const language of LANGUAGES) {
  const missing = missingTools(language);
  if (missing.length === 0) {
    describe(`${language.name}, without a library`, () => { testRecipe(language); });
  } else {
    const title = `the recipe for ${language.name} is not tried: ${missing.join(' and ')} cannot be found`;
    process.stderr.write(`${title}\n`);
    test.skip(title, () => undefined);
  }
}

// Also for those whose tools are missing.
test.each(LANGUAGES.filter(({ hasTcp }) => hasTcp))('the recipe for $name has the code that differs over TCP', ({ name }) => {
  const program = recipe(`${name}, without a library`);
  expect(overTcp(name, program, 8080)).not.toBe(program);
});

function testRecipe({ name, source, compile: [compiler, ...args], run, noticesLoss, hasTcp }: Language): void {
  const folder = makeFolder();
  const socketPath = join(folder, 'update-lock.sock');
  const startSidecar = (): Promise<Sidecar> => Sidecar.start({ environment: { UPDATE_LOCK_SOCKET: socketPath } });

  const program = recipe(`${name}, without a library`);
  const build = async (text: string): Promise<void> => {
    writeFileSync(join(folder, source), text);
    await compile(compiler, args, { cwd: folder, env: { ...process.env, CGO_ENABLED: '0' } });
  };

  beforeAll(() => build(program.replace('/run/update-lock/update-lock.sock', socketPath)), 300_000);

  const startMotor = (): ChildProcess => start(folder, run, {}, 'pipe');
  const closed = async (child: ChildProcess): Promise<{ exit: unknown; told: string }> => {
    let told = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (told += text));
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { exit: status ?? signal, told };
  };

  test.each(['finished', 'killed'])('the lock is held until the work is %s', async (how) => {
    const sidecar = await startSidecar();
    const child = startMotor();
    await hasStarted(child);
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
    expect((await sidecar.send('GET', '/v1/leases/motor')).body).toMatchObject({ kind: 'connection', reason: 'moving' });
    if (how === 'finished') child.stdin?.end();
    else child.kill('SIGKILL');
    expect(await closed(child)).toEqual({ exit: how === 'finished' ? 0 : 'SIGKILL', told: '' });
    await until(() => !existsSync(sidecar.lockFiles[0] ?? ''));
  });

  test('it exits 75 if there is no sidecar', async () => {
    expect(await closed(startMotor())).toEqual({ exit: 75, told: expect.stringMatching(/.+\n$/) as string });
  });

  if (noticesLoss) {
    test('it exits 75 when the lock is lost', async () => {
      const sidecar = await startSidecar();
      const child = startMotor();
      await hasStarted(child);
      supervisorForces(sidecar.lockFiles);
      expect(await closed(child)).toEqual({ exit: 75, told: 'the update lock is lost\n' });
      supervisorUnlocks(sidecar.lockFiles);
    });
  }

  if (!hasTcp) return;
  test('over TCP it holds the lock as well', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_SOCKET: 'off', UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_PORT: '0' } });
    const { port } = sidecar.tcpTarget as { port: number };
    await build(overTcp(name, program, port));
    const child = startMotor();
    await hasStarted(child);
    for (const path of sidecar.lockFiles) expect(holdsBackHost(path)).toBe(true);
    child.stdin?.end();
    expect(await closed(child)).toEqual({ exit: 0, told: '' });
    await until(() => !existsSync(sidecar.lockFiles[0] ?? ''));
  }, 300_000);
}
