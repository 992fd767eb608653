// The tests use the real tools that the lock is for. Installs what is missing where it can (root, apt); otherwise fails,
// naming the packages: a test that is skipped in silence proves nothing.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Each command the tests run, and the Debian packages that make it work. */
const PACKAGES = {
  lockfile: 'procmail',
  flock: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  promtool: 'prometheus',
  prometheus: 'prometheus',
  curl: 'curl',
  chromium: 'chromium',
  openssl: 'openssl',
  faketime: 'faketime',
  dash: 'dash',
  busybox: 'busybox',
  bash: 'bash',
  shellcheck: 'shellcheck',
  python3: 'python3',
  script: 'bsdutils',
  zsh: 'zsh',
  buildah: 'buildah',
  bwrap: 'bubblewrap',
  ip: 'iproute2',
  'docker-compose': 'docker-compose',
  yq: 'yq',
  pip3: 'python3-pip',
  gcc: 'gcc libc6-dev',
  journalctl: 'systemd',
  'systemd-journal-remote': 'systemd-journal-remote',
  etcd: 'etcd-server',
};

function missing() {
  // Not for people, so it is not in the search path.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/lib/systemd'];
  return Object.keys(PACKAGES).filter((command) => !folders.some((folder) => existsSync(join(folder, command))));
}

function packagesOf(commands) {
  return [...new Set(commands.flatMap((command) => PACKAGES[command].split(' ')))];
}

let commands = missing();
if (commands.length > 0 && process.getuid() === 0) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    const install = ['install', '-qq', '-y', '--no-install-recommends', ...packagesOf(commands)];
    execFileSync('apt-get', install, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  } catch (error) {
    console.error(`apt-get failed: ${error.message}`);
  }
  commands = missing();
}
if (commands.length > 0) {
  console.error(`The tests need ${commands.join(', ')}. Install these packages first: ${packagesOf(commands).join(' ')}`);
  process.exit(1);
}
