import { execFileSync } from 'node:child_process';
import { unlinkSync, writeFileSync } from 'node:fs';
import { Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { CLI } from './command';
import { KEYS, Terminal } from './terminal';

let sidecar: Sidecar;
let terminal: Terminal;

beforeEach(async () => {
  sidecar = await Sidecar.start();
  terminal = await Terminal.open(`unix:${sidecar.socketPath}`);
});

afterEach(async () => {
  await Terminal.cleanUp();
  await Sidecar.cleanUp();
});

async function leases(): Promise<string[]> {
  const { body } = await sidecar.send('GET', '/v1/leases');
  return (body.leases as { name: string }[]).map(({ name }) => name);
}

test('Ctrl-C reaches the command once, and we do not end before it', async () => {
  const script = 'n=0; trap "n=\\$((n+1))" INT; echo run-ning; while [ $n = 0 ]; do sleep 0.01; done; sleep 0.3; echo caught-$n; exit 5';
  terminal.type(`update-lock run --name work -- sh -c '${script.replaceAll('\\$', '$')}'\n`);
  await terminal.shows(/run-ning/);
  terminal.type(KEYS.interrupt);
  expect((await terminal.shows(/caught-(\d)/))[1]).toBe('1');
  expect(await terminal.status()).toBe(5);
  expect(await leases()).toEqual([]);
});

test('Ctrl-C and Ctrl-\\ end a command that does nothing about them, as a shell would say', async () => {
  for (const [key, exit] of [[KEYS.interrupt, 130], [KEYS.quit, 131]] as const) {
    terminal.type(`update-lock run -- sh -c 'ulimit -c 0; echo run-ning; exec sleep 1000'\n`);
    await terminal.shows(/run-ning/);
    terminal.type(key);
    expect(await terminal.status()).toBe(exit);
  }
});

test('a signal to us alone is passed on, also in the foreground', async () => {
  terminal.type(`update-lock run -- sh -c 'trap "echo got-term; exit 3" TERM; echo pid-$PPID-; while :; do sleep 0.01; done'\n`);
  const [, pid] = await terminal.shows(/pid-(\d+)-/);
  process.kill(Number(pid), 'SIGTERM');
  await terminal.shows(/got-term/);
  expect(await terminal.status()).toBe(3);
});

test('Ctrl-Z stops the job, the lock stays, and fg goes on with it', async () => {
  terminal.type(`update-lock run --name work -- sh -c 'echo run-ning; read line; echo read-$line; exit 4'\n`);
  await terminal.shows(/run-ning/);
  terminal.type(KEYS.suspend);
  await terminal.shows(/Stopped/);
  expect(await leases()).toEqual(['work']);
  terminal.type('echo shell-$((1+1))\n');
  await terminal.shows(/shell-2/);
  terminal.type('fg\n');
  terminal.type('hello\n');
  await terminal.shows(/read-hello/);
  expect(await terminal.status()).toBe(4);
});

test('a job that is stopped and sent to the background goes on there', async () => {
  // It starts nothing meanwhile: a shell that is stopped in the middle of vfork(2) waits for a child that is stopped as well.
  const go = `${sidecar.folder}/go`;
  execFileSync('mkfifo', [go]);
  terminal.type(`update-lock run --name work -- sh -c 'echo run-ning; read line <${go}; echo go-ne'\n`);
  await terminal.shows(/run-ning/);
  terminal.type(KEYS.suspend);
  await terminal.shows(/Stopped/);
  terminal.type(`bg; echo >${go}; wait; echo waited-$?\n`);
  await terminal.shows(/go-ne/);
  await terminal.shows(/waited-0/);
});

test('a command that stops by itself stops the job', async () => {
  terminal.type(`update-lock run -- sh -c 'kill -STOP $$; echo continued; exit 6'\n`);
  await terminal.shows(/Stopped/);
  terminal.type('fg\n');
  await terminal.shows(/continued/);
  expect(await terminal.status()).toBe(6);
});

test('SIGTSTP to us alone stops the command and us, SIGCONT continues both', async () => {
  // Not the shell's function, which would be a job of its own.
  terminal.type(`${process.execPath} ${CLI} run -- sh -c 'echo pid-$PPID-; while ! [ -e ${sidecar.folder}/go ]; do sleep 0.01; done; exit 3' &\n`);
  const pid = Number((await terminal.shows(/pid-(\d+)-/))[1]);
  process.kill(pid, 'SIGTSTP');
  terminal.type('wait %1; jobs\n');
  await terminal.shows(/Stopped/);
  expect(await leases()).toHaveLength(1);
  process.kill(pid, 'SIGCONT');
  writeFileSync(`${sidecar.folder}/go`, '');
  terminal.type('wait %1; echo waited-$?-\n');
  await terminal.shows(/waited-3-/);
});

test('a command that does not stop at Ctrl-Z is not left alone', async () => {
  const go = `${sidecar.folder}/go`;
  const script = `process.on("SIGTSTP", () => console.log("not-now")); setInterval(() => fs.existsSync("${go}") && process.exit(8), 10); console.log("run" + "-ning")`;
  terminal.type(`update-lock run -- node -e '${script}'\n`);
  await terminal.shows(/run-ning/);
  terminal.type(KEYS.suspend);
  await terminal.shows(/not-now/);
  writeFileSync(go, '');
  expect(await terminal.status()).toBe(8);
});

test('a shell with jobs of its own works inside', async () => {
  terminal.type('update-lock run --name work -- bash --norc --noprofile -i\n');
  terminal.type('echo inner-$UPDATE_LOCK_NAME\n');
  await terminal.shows(/inner-work/);
  terminal.type(`sh -c 'echo run-ning; exec sleep 1000'\n`);
  await terminal.shows(/run-ning/);
  terminal.type(KEYS.interrupt);
  expect(await terminal.status()).toBe(130);
  terminal.type(`sh -c 'echo run-ning; exec sleep 1000'\n`);
  await terminal.shows(/run-ning/);
  terminal.type(KEYS.suspend);
  await terminal.shows(/Stopped/);
  expect(await leases()).toEqual(['work']);
  terminal.type('kill -9 %1; disown -a; exit 9\n');
  expect(await terminal.status()).toBe(9);
  expect(await leases()).toEqual([]);
});

test('what the command sets of the terminal stays set', async () => {
  terminal.type('update-lock run -- stty echo susp undef; stty -a\n');
  await terminal.shows(/susp = <undef>/);
});

test('Ctrl-C while the lock is waited for takes nothing', async () => {
  writeFileSync(sidecar.lockFiles[0] ?? '', 'somebody');
  terminal.type('update-lock run --name work -- echo never\n');
  await terminal.shows(/waiting for the lock/);
  terminal.type(KEYS.interrupt);
  expect(await terminal.status()).toBe(130);
  unlinkSync(sidecar.lockFiles[0] ?? '');
  await until(async () => (await sidecar.send('GET', '/v1/lock')).body.state === 'free');
  expect(await leases()).toEqual([]);
});
