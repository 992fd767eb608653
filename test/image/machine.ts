import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What this machine has, made into the folder of a base image: no registry can be reached where the tests run. */

/** Node.js, a shell and the other commands that an image of Node.js for Alpine or Debian has. */
export function layOutBase(root: string): void {
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/bin', 'usr/local/bin']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  copyProgram(process.execPath, join(root, 'usr/local/bin/node'), root);
  copyProgram(find('busybox'), join(root, 'bin/busybox'), root);
  for (const command of output('busybox', '--list').split('\n')) {
    if (command !== '' && command !== 'busybox') symlinkSync('busybox', join(root, 'bin', command));
  }
  // Alpine's busybox has flock. Debian's has not.
  copyProgram(find('flock'), join(root, 'usr/bin/flock'), root);
  symlinkSync('/bin/env', join(root, 'usr/bin/env'));
  // By which the tests do what a runtime does itself for an image that is not root's.
  copyProgram(find('setpriv'), join(root, 'usr/bin/setpriv'), root);
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
}

/** npm beside it, for the stage that builds. */
export function layOutNpm(root: string): void {
  const npm = resolve(dirname(realpathSync(process.env['npm_execpath'] ?? find('npm'))), '..');
  mkdirSync(join(root, 'usr/local/lib'), { recursive: true });
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  cpSync(npm, join(root, 'usr/local/lib/npm'), { recursive: true });
  symlinkSync('../lib/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
}

/** What npm needs here to reach its registry. It is lent to the build, and must not get into the image. */
export function npmLoan(): { readonly volumes: string[]; readonly environment: Record<string, string> } {
  const certificates = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  const volumes = [`${output('npm', 'config', 'get', 'cache')}:/root/.npm`];
  if (certificates !== '') volumes.push(`${dirname(certificates)}:${dirname(certificates)}:ro`);
  const environment: Record<string, string> = {
    npm_config_registry: output('npm', 'config', 'get', 'registry'),
    npm_config_prefer_offline: 'true',
  };
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(NODE_EXTRA_CA_CERTS|(https?|no)_proxy)$/i.test(name) && value !== undefined) environment[name] = value;
  }
  return { volumes, environment };
}

/** Copies a program and the libraries that it is linked with, each to where it is here. */
function copyProgram(from: string, to: string, root: string): void {
  copyFileSync(realpathSync(from), to);
  for (const [library] of output('ldd', from).matchAll(/\/\S+/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
}

function find(command: string): string {
  return output('which', command);
}

function output(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
