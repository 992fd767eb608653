// Tools that read OpenAPI documents, for the tests: linters, generators of clients, a fuzzer. They are of three languages and large, so
// they are no dependencies of this package: each version of their lists is installed once for this user, and a link leads to it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LISTS = fileURLToPath(new URL('../test/openapi/tools', import.meta.url));
const FILES = ['package.json', 'package-lock.json', 'requirements.txt', 'go.mod', 'go.sum'];
const LINK = fileURLToPath(new URL('../node_modules/.openapi-tools', import.meta.url));

/** Installs them where they are missing, and makes the link. Fails with what the package manager says. */
export function installOpenapiTools() {
  const version = createHash('sha256').update(FILES.map((file) => readFileSync(join(LISTS, file))).join('\0')).digest('hex').slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'update-lock', `openapi-tools-${version}`);
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    console.log(`Installing the tools of test/openapi/tools in ${folder}`);
    install(folder);
    writeFileSync(complete, '');
  }
  rmSync(LINK, { force: true });
  symlinkSync(folder, LINK);
}

function install(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of FILES) copyFileSync(join(LISTS, file), join(folder, file));
  const run = (command, ...args) => execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  run('npm', 'ci', '--silent', '--no-audit', '--no-fund');
  run('python3', '-m', 'venv', 'python');
  run('python/bin/pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', 'requirements.txt');
  run('go', 'build', '-o', 'oapi-codegen', 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen');
}
