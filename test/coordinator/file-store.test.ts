import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileStore, FolderInUse, JournalDamaged } from '../../coordinator/store/file/file-store';
import { Coordinator } from '../support/coordinator';
import { SmallDisk } from '../support/small-disk';
import { makeFolder } from '../support/sidecar';
import { removeFolder } from '../support/remove-folder';
import { describeStore } from './store-contract';

const SETTINGS = { slots: 1, paused: false, isAdHoc: false };

let folder: string;
let nowMs: number;
const opened: FileStore[] = [];

beforeEach(() => {
  folder = makeFolder();
  nowMs = Date.UTC(2026, 0, 1);
});

async function open(): Promise<FileStore> {
  const store = await FileStore.open(folder, () => nowMs);
  opened.push(store);
  return store;
}

async function closeAll(): Promise<void> {
  for (const store of opened.splice(0)) await store.close();
}

afterEach(async () => {
  await closeAll();
  await Coordinator.cleanUp();
  await removeFolder(folder);
});

const journal = (): string => join(folder, 'turns.journal');

describe('The file store, as every store,', () => {
  describeStore(async () => ({
    store: await open(),
    reopen: async () => {
      await closeAll();
      return open();
    },
    untilSilent: () => {
      nowMs += 3000;
      return Promise.resolve();
    },
    nowMs: () => nowMs,
  }), closeAll);
});

describe('The file store', () => {
  test('is for one process at a time', async () => {
    await open();
    await expect(FileStore.open(folder, () => nowMs)).rejects.toThrow(FolderInUse);
    await closeAll();
    await open();
  });

  test('cuts off a last line that was not written to its end, and goes on', async () => {
    const store = await open();
    await store.setGroup('default', SETTINGS, null);
    const group = await store.read('default');
    if (group !== null) await store.grant(group, { id: 'a', instance: null }, nowMs);
    await closeAll();
    const whole = readFileSync(journal(), 'utf8');
    for (let bytes = 1; bytes < 90; bytes += 1) {
      writeFileSync(journal(), whole + '{"type":"turn","group":"default","id":"somebody","instance":null,"sinceMs":1767225600000}\n'.slice(0, bytes));
      const again = await open();
      const holders = [...((await again.read('default'))?.holders.keys() ?? [])];
      // The last byte is the end of the line: without it the line may count or not, since nobody was told.
      if (bytes < 88) expect(holders).toEqual(['a']);
      await closeAll();
      expect(readFileSync(journal(), 'utf8').endsWith('}\n')).toBe(true);
    }
  });

  test('does not start on a journal with a line in its middle that cannot be understood: turns may be missing', async () => {
    const store = await open();
    await store.setGroup('default', SETTINGS, null);
    await closeAll();
    appendFileSync(journal(), '{"type":"turn of a later version"}\n');
    await expect(FileStore.open(folder, () => nowMs)).rejects.toThrow(JournalDamaged);
    await expect(FileStore.open(folder, () => nowMs)).rejects.toThrow('line 2 of the journal');
  });

  test('writes the journal anew when it grows, and loses nothing by that', async () => {
    const store = await open();
    await store.setGroup('default', { ...SETTINGS, slots: 10 }, null);
    let longest = 0;
    for (let round = 0; round < 300; round += 1) {
      await Promise.all(Array.from({ length: 30 }, async (_, index) => {
        const group = await store.read('default');
        const id = `device-with-a-rather-long-name-${String(round)}-${String(index)}`.padEnd(100, '-');
        if (group !== null) await store.wait(group, id, 1000, nowMs);
        if (round < 299 || index > 0) await store.giveBack('default', { id, instance: null });
      }));
      longest = Math.max(longest, readFileSync(journal()).length);
    }
    expect(longest).toBeLessThan(1_100_000);
    await closeAll();
    const waiting = (await (await open()).read('default'))?.waiting;
    expect([...(waiting?.keys() ?? [])].map((id) => id.replace(/-+$/, ''))).toEqual(['device-with-a-rather-long-name-299-0']);
  });

  test('after a start those who waited have half a minute to ask again', async () => {
    const store = await open();
    await store.setGroup('default', SETTINGS, null);
    const group = await store.read('default');
    if (group !== null) await store.wait(group, 'a', 900_000, nowMs);
    await closeAll();
    nowMs += 86_400_000;
    const waiter = (await (await open()).read('default'))?.waiting.get('a');
    expect((waiter?.silentFromMs ?? 0) - nowMs).toBe(30_000);
  });
});

describe('Where the disk is full', () => {
  test('nothing is given that is not on disk, and all goes on when there is room', async () => {
    const disk = new SmallDisk('256k');
    try {
      const coordinator = await Coordinator.start({ COORDINATOR_STORE: `file:${join(disk.path, 'store')}`, COORDINATOR_GROUPS: 'default=100' });
      await coordinator.ask('first');
      disk.fill();
      let count = 0;
      let answer = await coordinator.ask('d');
      // The journal's last page may still have room.
      for (; answer.status === 200; count += 1) answer = await coordinator.ask(`d${String(count)}-${'x'.repeat(100)}`);
      expect([answer.status, answer.body.kind]).toEqual([503, 'store_unavailable']);
      expect((await coordinator.giveBack('first')).status).toBe(503);
      const ready = await coordinator.send('GET', '/readyz');
      expect([ready.status, ready.body.checks[0].ok]).toEqual([503, false]);
      const { text } = await coordinator.send('GET', '/metrics');
      expect(text).toContain('update_lock_coordinator_store_up 0\n');
      expect(text).toMatch(/store_errors_total\{operation="write"\} [1-9]/);
      disk.makeRoom();
      expect((await coordinator.giveBack('first')).status).toBe(200);
      expect((await coordinator.ask('later')).status).toBe(200);
      expect((await coordinator.send('GET', '/readyz')).status).toBe(200);
      const before = await coordinator.holders();
      expect(before).toContain('later');
      expect(before).not.toContain('first');
      await coordinator.kill();
      const again = await Coordinator.start({ COORDINATOR_STORE: `file:${join(disk.path, 'store')}` });
      expect(await again.holders()).toEqual(before);
    } finally {
      await Coordinator.cleanUp();
      disk.remove();
    }
  });
});

describe('A coordinator on a file store', () => {
  test('a second one on the same folder does not start, and says why', async () => {
    const first = await Coordinator.start();
    const second = Coordinator.spawn({}, first.folder);
    expect(await second.exited()).toBe(75);
    expect(second.output).toBe(`update-lock-coordinator: COORDINATOR_STORE: another coordinator uses ${join(first.folder, 'store')}\n`);
  });

  test('one on a folder that cannot be used does not start, and says why', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    const coordinator = Coordinator.spawn({ COORDINATOR_STORE: `file:${path}` });
    expect(await coordinator.exited()).toBe(69);
    expect(coordinator.output).toContain('COORDINATOR_STORE: ');
  });

  test('one on a damaged journal does not start, and says which line', async () => {
    mkdirSync(join(folder, 'store'));
    writeFileSync(join(folder, 'store/turns.journal'), 'nonsense\n');
    const coordinator = Coordinator.spawn({}, folder);
    expect(await coordinator.exited()).toBe(69);
    expect(coordinator.output).toContain('line 1 of the journal');
  });
});
