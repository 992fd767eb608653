import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hold } from '../support/hold';
import { holdsBackHost, supervisorLocks, supervisorUnlocks } from '../support/readers';
import { SmallDisk } from '../support/small-disk';
import { guardsIn, makeFolder, Sidecar } from '../support/sidecar';
import { until, untilPast } from '../support/until';

afterEach(() => Sidecar.cleanUp());

const SHORT_GRACE = { UPDATE_LOCK_RESTART_GRACE: '2s' };

function journalOf(sidecar: Sidecar): string {
  return join(sidecar.directory, '.update-lock/journal');
}

async function names(sidecar: Sidecar): Promise<string[]> {
  return ((await sidecar.send('GET', '/v1/leases')).body.leases as { name: string }[]).map(({ name }) => name);
}

describe('after kill -9', () => {
  test('live leases are live again, as they were, and the lock has never been away', async () => {
    const sidecar = await Sidecar.start();
    const { body: before } = await sidecar.put('recorder', { ttl: 600, reason: 'recording' });
    await sidecar.put('player', { ttl: 500 });
    await sidecar.put('player', { ttl: 600 });
    await sidecar.kill();
    for (const path of sidecar.lockFiles) {
      expect(supervisorLocks(path)).toBe(false);
      expect(holdsBackHost(path)).toBe(true);
    }
    const again = await sidecar.startAgain();
    for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
    const { body: after } = await again.send('GET', '/v1/leases/recorder');
    expect({ ...after, remainingSeconds: 0 }).toEqual({ ...before, remainingSeconds: 0 });
    expect(after.remainingSeconds).toBeLessThan(600);
    expect(await names(again)).toEqual(['recorder', 'player']);
    expect((await again.send('GET', '/v1/leases/player')).body.renewals).toBe(1);
    expect((await again.send('GET', '/v1/lock')).body).toMatchObject({ state: 'held', flock: true });
  });

  test('the lock is given back in the end, to the host too', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    await sidecar.kill();
    const again = await sidecar.startAgain();
    await again.release('recorder');
    expect(again.lockFiles.filter((path) => existsSync(path))).toEqual([]);
    await again.put('recorder');
    for (const path of again.lockFiles) expect(holdsBackHost(path)).toBe(true);
    await again.release('recorder');
    await again.kill('SIGTERM');
    await until(() => guardsIn(again.folder).length === 0);
  });

  test('released and expired leases stay dead, and are remembered as they ended', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('released');
    const { body: expired } = await sidecar.put('expired', { ttl: 1 });
    await sidecar.put('live');
    await sidecar.release('released');
    await sidecar.kill();
    await untilPast(expired.expires);
    const again = await sidecar.startAgain();
    expect(await names(again)).toEqual(['live']);
    for (const name of ['released', 'expired']) {
      const { status, body } = await again.send('GET', `/v1/leases/${name}`);
      expect([status, body.ended.reason]).toEqual([410, name]);
    }
  });

  test('nothing live ends within the restart grace', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder', { ttl: 10 });
    await sidecar.kill();
    const again = await sidecar.startAgain({ UPDATE_LOCK_RESTART_GRACE: '5m' });
    const { remainingSeconds, ttlSeconds } = (await again.send('GET', '/v1/leases/recorder')).body;
    expect(ttlSeconds).toBe(10);
    expect(remainingSeconds).toBeGreaterThan(290);
  });

  test('a hold can be taken up again under its name, and ends if nobody does', async () => {
    const sidecar = await Sidecar.start();
    for (const name of ['faithful', 'lost']) await (await Hold.open(sidecar.target, name)).line('held');
    const { since } = (await sidecar.send('GET', '/v1/leases/faithful')).body;
    await sidecar.kill();
    const again = await sidecar.startAgain(SHORT_GRACE);
    expect(await names(again)).toEqual(['faithful', 'lost']);
    expect((await again.put('faithful')).status).toBe(409);
    const hold = await Hold.open(again.target, 'faithful');
    expect((await hold.line('held'))['lease']).toMatchObject({ kind: 'connection', since });
    await again.logged('lease ended', { name: 'lost', ended: 'disconnected' });
    expect(await names(again)).toEqual(['faithful']);
    hold.close();
    await again.logged('lease ended', { name: 'faithful', ended: 'disconnected', lock: 'released' });
  });

  test('a lock that was taken away meanwhile is lost, and not taken back', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    await sidecar.kill();
    unlinkSync(sidecar.lockFiles[0] ?? '');
    const again = await sidecar.startAgain();
    expect((await again.send('GET', '/v1/leases/recorder')).body.ended.reason).toBe('lost');
    expect(again.lockFiles.filter((path) => existsSync(path))).toEqual([]);
    expect((await again.put('recorder', { wait: 0 })).body.code).toBe('cooldown');
  });

  test('a lock without a lease is given back: the process died between the two', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    await sidecar.kill();
    unlinkSync(journalOf(sidecar));
    const again = await sidecar.startAgain();
    expect(await names(again)).toEqual([]);
    expect(again.lockFiles.filter((path) => existsSync(path))).toEqual([]);
  });

  test('leases of another boot are void', async () => {
    const sidecar = await Sidecar.start();
    await sidecar.put('recorder');
    await sidecar.kill();
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // As if this boot's journal were another's: the checksums are then wrong as well, so both ways of seeing it are.
    writeFileSync(journalOf(sidecar), readFileSync(journalOf(sidecar), 'utf8').replaceAll(boot, boot.split('').reverse().join('')));
    const again = await sidecar.startAgain();
    expect(await names(again)).toEqual([]);
    expect(existsSync(again.lockFiles[0] ?? '')).toBe(false);
  });
});

describe('a damaged journal costs no more than its last line', () => {
  const DAMAGE: [string, (path: string) => void][] = [
    ['cut off in the middle of the last line', (path) => { truncateSync(path, statSync(path).size - 1900); }],
    ['with garbage at its end', (path) => { appendFileSync(path, '\u0000\u0001{"kind":"lease"\n\n%%%'); }],
    ['with zeros at its end', (path) => { appendFileSync(path, Buffer.alloc(5000)); }],
  ];

  test.each(DAMAGE)('%s', async (_how, damage) => {
    const sidecar = await Sidecar.start();
    for (const name of ['first', 'second', 'third']) await sidecar.put(name);
    await sidecar.kill();
    damage(journalOf(sidecar));
    const again = await sidecar.startAgain();
    expect((await names(again)).slice(0, 2)).toEqual(['first', 'second']);
    // And it goes on as if nothing had been.
    await again.put('fourth');
    await again.kill();
    const onceMore = await sidecar.startAgain();
    expect(await names(onceMore)).toEqual([...(await names(onceMore)).filter((name) => name !== 'fourth'), 'fourth']);
    expect(await names(onceMore)).toEqual(expect.arrayContaining(['first', 'second', 'fourth']));
  });
});

test('the journal stays small however many leases come and go', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_LOG_LEVEL: 'info' } });
  for (let i = 0; i < 1500; i += 1) {
    await sidecar.put(`lease-${String(i)}`);
    await sidecar.release(`lease-${String(i)}`);
  }
  expect(statSync(journalOf(sidecar)).size).toBeLessThanOrEqual(600 * 1024);
});

describe('the lease of the start', () => {
  const HOLD = { UPDATE_LOCK_HOLD_ON_START: '1m' };

  test('is there before anything is asked for, once in a boot, and not again after a restart', async () => {
    const sidecar = await Sidecar.start({ environment: HOLD });
    const { body } = await sidecar.send('GET', '/v1/leases/@start');
    expect(body).toMatchObject({ name: '@start', kind: 'builtin', ttlSeconds: 60 });
    expect((await sidecar.send('DELETE', '/v1/leases/@start')).status).toBe(422);
    await sidecar.kill();
    const again = await sidecar.startAgain({ ...HOLD, UPDATE_LOCK_RESTART_GRACE: '10m' });
    expect((await again.send('GET', '/v1/leases/@start')).body.expires).toBe(body.expires);
  });

  test('is not taken by a restart after it was waited for in vain', async () => {
    const folder = makeFolder();
    const directory = join(folder, 'lock');
    mkdirSync(directory);
    chmodSync(directory, 0o1777);
    const path = join(directory, 'updates.lock');
    expect(supervisorLocks(path)).toBe(true);
    const sidecar = await Sidecar.start({ folder, environment: { UPDATE_LOCK_HOLD_ON_START: '300ms' } });
    await sidecar.logged('lease refused', { name: '@start' });
    await until(() => readFileSync(journalOf(sidecar), 'utf8').includes('"isStartOver":true'));
    supervisorUnlocks([path]);
    await sidecar.kill();
    const again = await sidecar.startAgain(HOLD);
    expect(await names(again)).toEqual([]);
  });

  test('is taken as soon as a disk that was full at the start has room', async () => {
    const disk = new SmallDisk('64k');
    const directory = join(disk.path, 'lock');
    // The folder and its files are there: only a lease has no room.
    await (await Sidecar.start({ environment: { UPDATE_LOCK_DIR: directory } })).kill('SIGTERM');
    // As after a boot: there is room for the header, and it says nothing of a start.
    writeFileSync(join(directory, '.update-lock/journal'), ' '.repeat(2048));
    disk.fill();
    const sidecar = await Sidecar.start({ environment: { ...HOLD, UPDATE_LOCK_DIR: directory, UPDATE_LOCK_ON_STOP: 'release' } });
    await sidecar.logged('lease refused', { name: '@start', code: 'cannot-lock' });
    disk.makeRoom();
    await sidecar.logged('lease acquired', { name: '@start' });
    await sidecar.kill('SIGTERM');
    disk.remove();
  });

  test('is not taken by a restart after it has ended', async () => {
    const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_HOLD_ON_START: '300ms' } });
    await sidecar.logged('lease ended', { name: '@start', ended: 'expired' });
    await sidecar.kill();
    const again = await sidecar.startAgain(HOLD);
    expect(await names(again)).toEqual([]);
  });
});
