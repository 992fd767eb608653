import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sidecar } from '../support/sidecar';
import { CLI } from './command';
import { Terminal } from './terminal';

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  await sidecar.put('backup');
  // As it is installed.
  symlinkSync(CLI, join(sidecar.folder, 'update-lock'));
});

afterAll(async () => {
  await Terminal.cleanUp();
  await Sidecar.cleanUp();
});

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${sidecar.folder}:${process.env['PATH'] ?? ''}`, UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` };
}

/** What bash offers for the last of these words. */
function bash(...words: string[]): string[] {
  const script = `set -u; source <(update-lock completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _update_lock; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['--norc', '-c', script, 'bash', 'update-lock', ...words], { env: environment(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return output.split('\n').filter((line) => line !== '').sort();
}

describe('bash', () => {
  test.each<[string[], string[]]>([
    [['re'], ['release', 'renew']],
    [['wa'], ['wait-update', 'watch']],
    [['--v'], ['--version']],
    [['run', '--n'], ['--name', '--no-wait']],
    [['run', '--on-lost', ''], ['term', 'warn']],
    [['status', '--'], ['--check', '--help', '--json', '--token-file', '--url']],
    [['acquire', 'x', '--t'], ['--token-file', '--ttl']],
    [['acquire', '--ttl', ''], []],
    [['release', ''], ['backup', 'recorder']],
    [['renew', 'r'], ['recorder']],
    [['renew', 'recorder', ''], []],
    [['override', ''], ['allow', 'clear', 'hold']],
    [['override', 'allow', '--f'], ['--for']],
    [['override', 'allow', '--for', ''], []],
    [['hi'], ['history']],
    [['history', '--j'], ['--json']],
    [['completion', ''], ['bash', 'zsh']],
    [['help', 'sta'], ['status']],
    [['--url', 'x', 'stat'], ['status']],
  ])('%j offers %j', (words, offers) => {
    expect(bash(...words)).toEqual(offers);
  });

  test('the leases are those of the sidecar that is named', () => {
    expect(bash('--url', 'unix', ':', '/nowhere', 'release', '')).toEqual([]);
    expect(bash('--url', 'unix', ':', sidecar.socketPath, 'release', 'b')).toEqual(['backup']);
  });

  test('after run, commands and files are offered', () => {
    writeFileSync(join(sidecar.folder, 'a-file'), '');
    expect(bash('run', '--', 'update-lo')).toContain('update-lock');
    expect(bash('run', 'cat', join(sidecar.folder, 'a-f'))).toEqual([join(sidecar.folder, 'a-file')]);
  });
});

describe('zsh', () => {
  test('the script is sound', () => {
    const { status, stderr } = spawnSync('zsh', ['-f', '-c', 'zsh -n <(update-lock completion zsh)'], { env: environment(), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  test('what is typed is completed', async () => {
    const terminal = await Terminal.openZsh(environment()['UPDATE_LOCK_URL'] ?? '', environment()['PATH'] ?? '');
    // Quoted in two pieces: zsh shows what is typed, which is not to be taken for what is printed.
    terminal.type('update-lock() { [[ $1 == completion ]] && command update-lock "$@" || echo "go""t: $*." }\n');
    for (const [typed, completed] of [
      ['rele\tx', 'release x'],
      ['run --no-w\tx', 'run --no-wait x'],
      ['release reco\t', 'release recorder'],
      ['run --on-lost=te\tx', 'run --on-lost=term x'],
      ['help wat\t', 'help watch'],
      ['override cl\t', 'override clear'],
    ] as const) {
      terminal.type(`update-lock ${typed}\n`);
      expect((await terminal.shows(/got: (.*?) ?\./))[1]).toBe(completed);
    }
  });
});
