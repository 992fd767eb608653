import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COMMANDS } from '../../client/src/cli/command-table';
import { Sidecar } from '../support/sidecar';
import { CLI } from './command';

const TEXT = readFileSync(resolve(__dirname, '../../docs/cli.md'), 'utf8');
const EXAMPLES = [...TEXT.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, script = '']) => script);

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start();
  symlinkSync(CLI, join(sidecar.folder, 'update-lock'));
});

afterAll(() => Sidecar.cleanUp());

test.each(EXAMPLES)('%s', (script) => {
  const env = { ...process.env, PATH: `${sidecar.folder}:${process.env['PATH'] ?? ''}`, UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` };
  const { status, stderr } = spawnSync('sh', ['-ec', script], { env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

test('every command and every option is in the reference', () => {
  for (const { name, options } of COMMANDS) {
    const row = TEXT.split('\n').find((line) => line.startsWith(`| \`update-lock ${name}`));
    for (const option of options) expect([name, row]).toEqual([name, expect.stringContaining(`--${option.name}`)]);
  }
});
