import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CLI } from '../cli/command';
import { blocksOf, PAGES, REPOSITORY, type Block } from '../support/markdown';
import { makeFolder, Sidecar } from '../support/sidecar';
import { StandInSupervisor } from '../support/supervisor/stand-in';

const SHELLS = new Set(['sh', 'bash', 'zsh', 'shell', 'console']);

const START = 'installs anew, and does not end; every other test starts what this starts';
const INSTALL = 'test/docs/install.test.ts runs it';
const RECIPE = 'test/clients/recipes.test.ts runs it while the work is going on';

/** Blocks that are not run here, by their page, heading and first line, and why. A new block has to be run, or to be put here. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'README.md, Try it: npm ci': START,
  'docs/getting-started.md, On a laptop: npm ci': START,
  'CONTRIBUTING.md, The two commands: npm ci && npm test': 'is what runs this',
  'CONTRIBUTING.md, The two commands: npm run --silent build && npx jest test/docs': 'is what runs this',
  'docs/testing.md, Fuzz: FUZZ_SEED=1796153692 npx jest test/fuzz/journal.test.ts   # the same run again': 'is run by the tests themselves',
  'CONTRIBUTING.md, Releases: npm run build && npm publish --workspace client': 'publishes',
  'client/README.md, update-lock-client: npm install update-lock-client': 'test/client/package.test.ts installs the package',
  'client/python/README.md, The Python client: pip install ./update-lock/client/python': INSTALL,
  'docs/clients.md, From a clone: (cd update-lock && npm ci && npm run build)': INSTALL,
  'docs/clients.md, From a clone: (cd update-lock && npm ci && npm pack -w client)': INSTALL,
  'docs/clients.md, From a clone: pip install ./update-lock/client/python': INSTALL,
  'docs/clients.md, From the registries: npm install update-lock-client        # the library; with -g, the command': 'nothing is there before the first release',
  "docs/fleet.md, The coordinator: curl -i http://localhost:8081/v1/pre-reboot   -H 'fleet-lock-protocol: true' -d '{\"client_params\": {\"id\": \"one\", \"group\": \"default\"}}'   # 200: it has its turn":
    'test/docs/coordinator.test.ts runs it beside a coordinator',
  'docs/monitoring.md, Prometheus and Grafana: cp -r update-lock/examples/monitoring monitoring': 'test/image/compose.test.ts has Compose read both files',
  'docs/cli.md, Completion: source <(update-lock completion bash)                            # in ~/.bashrc': 'test/cli/completion.test.ts completes in both shells',
  'docs/recipes.md, curl in a shell script: #!/bin/sh': RECIPE,
  'docs/recipes.md, A long job with renewals: #!/bin/sh': RECIPE,
  'docs/recipes.md, Finish the work when an update waits: #!/bin/sh': RECIPE,
};

const BLOCKS = PAGES.flatMap(blocksOf).filter(({ language }) => SHELLS.has(language));
const titleOf = ({ page, heading, text }: Block): string => `${page}, ${heading}: ${text.split('\n')[0] ?? ''}`;

/**
 * Goes before the real one: it fails where an answer is a problem, and of a stream that has no end (`-N`) it reads the first
 * line, which must not be empty.
 */
const CURL = `#!/bin/sh
PATH=\${PATH#*:}
case " $* " in *' -N '*) ;; *) exec curl -sS --fail-with-body "$@" ;; esac
mkfifo "$0.$$" && { curl -sS --fail "$@" > "$0.$$" & }
read -r line < "$0.$$" && [ -n "$line" ] && kill $! && echo "$line"
`;

/** In place of the CLI of balena: whether what it would send is a project that Compose can read, without what was installed by hand; or a tag of ours. */
const BALENA = `#!/bin/sh
case "$*" in
  'push FLEET') docker-compose config --quiet && [ -f update-lock/Dockerfile ] && [ ! -e update-lock/node_modules ] ;;
  'device list --fleet ORG/FLEET --json') echo '[{"uuid": "0123"}, {"uuid": "4567"}]' ;;
  'tag set update-lock.'*' --device '*) [ $# -eq 6 ] ;;
  'tag rm update-lock.'*' --device '*) [ $# -eq 5 ] ;;
  *) false ;;
esac
`;

/** In place of Prometheus, which would not end: whether it can read its configuration, and would scrape this machine. */
const PROMETHEUS = `#!/bin/sh
case "$*" in --config.file=prometheus.yml*) promtool check config prometheus.yml && grep -q "targets: \\['localhost:8080'\\]" prometheus.yml ;; *) false ;; esac
`;

afterEach(async () => {
  await Sidecar.cleanUp();
  await StandInSupervisor.cleanUp();
});

/** A sidecar with the tokens that the block speaks of, with an override if it speaks of that, and a lease `recorder`, for which an update waits if the block speaks of that. */
async function startFor({ text }: Block, folder: string): Promise<{ sidecar: Sidecar; tokens: Record<string, string> }> {
  const names = [...text.matchAll(/UPDATE_LOCK_(?:API|ADMIN)_TOKEN/g)].map(([name]) => name);
  const isOfOverride = /\boverride\b/.test(text);
  const tokens = Object.fromEntries([...names, ...(isOfOverride ? ['UPDATE_LOCK_ADMIN_TOKEN'] : [])].map((name) => [name, `${name}-of-this-test`]));
  const supervisor = await StandInSupervisor.start({ lockDirectories: [join(folder, 'lock')], replacesForMs: 0 });
  const environment = { ...supervisor.environment, ...tokens, UPDATE_LOCK_HOST: '127.0.0.1', UPDATE_LOCK_PORT: '0', UPDATE_LOCK_SUPERVISOR_POLL: '1s' };
  const sidecar = await Sidecar.start({ folder, environment });
  await sidecar.put('recorder', { reason: 'recording', ttl: '1h' });
  if (isOfOverride) {
    await sidecar.send('PUT', '/v1/override', { json: { updates: 'hold', for: '1h' }, headers: { Authorization: 'Bearer UPDATE_LOCK_ADMIN_TOKEN-of-this-test' } });
  }
  if (/\/v1\/update|wait-update/.test(text)) {
    await supervisor.pushRelease();
    await sidecar.logged('update pending');
  }
  return { sidecar, tokens };
}

/** A folder with the commands that a block may use first in its path, and for an example with its files. */
function workshop(folder: string, { page, text }: Block): string {
  const work = join(folder, 'work');
  mkdirSync(join(folder, 'bin'));
  symlinkSync(CLI, join(folder, 'bin/update-lock'));
  for (const [name, script] of [['curl', CURL], ['balena', BALENA], ['prometheus', PROMETHEUS]] as const) writeFileSync(join(folder, 'bin', name), script, { mode: 0o755 });
  if (page.startsWith('examples/')) cpSync(join(REPOSITORY, dirname(page)), work, { recursive: true });
  else mkdirSync(work);
  if (/\bupdate-lock\/examples\b/.test(text)) makeClone(join(work, 'update-lock'));
  return work;
}

/** A repository like this one, as far as an image is made of it, in which somebody has also installed what it needs. */
function makeClone(folder: string): void {
  mkdirSync(folder);
  for (const name of ['Dockerfile', 'examples']) cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true });
  writeFileSync(join(folder, '.gitignore'), 'node_modules\n');
  mkdirSync(join(folder, 'node_modules'));
  const git = (...args: string[]): void => void execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], { cwd: folder });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'A copy');
}

/** The block with this sidecar's addresses and files for those of a device. */
function adapted({ text }: Block, sidecar: Sidecar): string {
  const { port } = sidecar.tcpTarget as { port: number };
  return text
    .replace(/http:\/\/(update-lock|localhost):8080/g, `http://127.0.0.1:${String(port)}`)
    .replaceAll('/run/update-lock/update-lock.sock', sidecar.socketPath)
    .replaceAll('/tmp/balena', sidecar.directory);
}

test.each(BLOCKS.filter((block) => !(titleOf(block) in NOT_RUN)).map((block) => [titleOf(block), block] as const))('%s', async (_title, block) => {
  const folder = makeFolder();
  const { sidecar, tokens } = await startFor(block, folder);
  const cwd = workshop(folder, block);
  const env = { ...tokens, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, UPDATE_LOCK_URL: `unix:${sidecar.socketPath}` };
  // Not synchronous: the Supervisor's stand-in is in this process.
  const child = spawn(block.language === 'bash' ? 'bash' : 'sh', ['-ec', adapted(block, sidecar)], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (chunk: string) => (output[stream] += chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  expect({ status, ...output }).toEqual({ status: 0, stdout: expect.any(String) as string, stderr: '' });
}, 120_000);

test('what is not run is there, and is one block each', () => {
  const titles = BLOCKS.map(titleOf);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  expect(Object.keys(NOT_RUN).filter((title) => !titles.includes(title))).toEqual([]);
});
