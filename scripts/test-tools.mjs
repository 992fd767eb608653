// The tests use the real tools that the lock is for. Installs what is missing where it can (root, apt); otherwise fails,
// naming the packages: a test that is skipped in silence proves nothing.
import { installTools } from './install-tools.mjs';
import { installOpenapiTools } from './openapi-tools.mjs';

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
  python3: 'python3 python3-venv',
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
  go: 'golang-go',
};

installTools(PACKAGES, 'The tests');
installOpenapiTools();
