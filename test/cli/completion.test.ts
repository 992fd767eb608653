import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sidecar } from '../support/sidecar';
import { CLI } from './command';

let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await Sidecar.start();
  await sidecar.put('recorder');
  await sidecar.put('backup');
  // As it is installed.
  symlinkSync(CLI, join(sidecar.folder, 'update-lock'));
});

afterAll(() => Sidecar.cleanUp());

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
    [['status', '--'], ['--help', '--json', '--url']],
    [['acquire', 'x', '--t'], ['--ttl']],
    [['acquire', '--ttl', ''], []],
    [['release', ''], ['backup', 'recorder']],
    [['renew', 'r'], ['recorder']],
    [['renew', 'recorder', ''], []],
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

/** What zsh offers, on a terminal since it completes on no other. */
function zsh(typed: string): string {
  const script = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; autoload -U compinit && compinit -D -u; source <(update-lock completion zsh); LISTMAX=1000; stty rows 50 cols 200; bindkey "^I" complete-word; setopt auto_list no_list_beep; echo rea""dy'
zpty -r -m z line '*ready*'
zpty -n -w z "$1"$'\\t'
zpty -n -w z $'\\C-a: \\C-e; echo rea""dy\\n'
zpty -r -m z line '*ready
*ready*'
print -r -- "$line"`;
  const { stdout, stderr, status } = spawnSync('zsh', ['-f', '-c', script, 'zsh', typed], { env: { ...environment(), TERM: 'xterm' }, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`zsh: ${stderr}`);
  return stdout;
}

describe('zsh', () => {
  test('the script is sound', () => {
    const { status, stderr } = spawnSync('zsh', ['-f', '-c', 'zsh -n <(update-lock completion zsh)'], { env: environment(), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  test.each([
    ['update-lock rele', 'update-lock release'],
    ['update-lock run --no-w', '--no-wait'],
    ['update-lock release reco', 'release recorder'],
    ['update-lock run --on-lost=te', '--on-lost=term'],
    ['update-lock completion z', 'completion zsh'],
  ])('%s is completed to %s', (typed, completed) => {
    expect(zsh(typed)).toContain(completed);
  });
});
