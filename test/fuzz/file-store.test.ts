import fc from 'fast-check';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileStore, JournalDamaged } from '../../coordinator/store/file/file-store';
import { FUZZ_SEED, fuzzRuns, fuzzTimeoutMs } from '../support/fuzz';
import { makeFolder } from '../support/sidecar';
import { mutatedBytes } from './mutations';

const NOW_MS = Date.UTC(2026, 10, 27);
const folder = makeFolder();
const journal = join(folder, 'turns.journal');
afterAll(() => { rmSync(folder, { recursive: true }); });

test(`whatever comes of the coordinator's journal, it is read or refused in words (seed ${String(FUZZ_SEED)})`, async () => {
  const store = await FileStore.open(folder, () => NOW_MS);
  await store.setGroup('default', { slots: 2, paused: false, isAdHoc: false }, null);
  for (const id of ['a', 'b']) {
    const group = await store.read('default');
    if (group !== null) await store.grant(group, { id, instance: null }, NOW_MS);
  }
  await store.close();
  const right = readFileSync(journal);
  await fc.assert(fc.asyncProperty(mutatedBytes(fc.constant(right)), async (bytes) => {
    writeFileSync(journal, bytes);
    let opened: FileStore;
    try {
      opened = await FileStore.open(folder, () => NOW_MS);
    } catch (error) {
      expect(error).toBeInstanceOf(JournalDamaged);
      expect((error as Error).message).toMatch(/line \d+/);
      return;
    }
    try {
      const groups = await opened.readAll();
      for (const { slots, holders, waiting } of groups) {
        expect(Number.isSafeInteger(slots) && slots >= 0).toBe(true);
        for (const { sinceMs } of [...holders.values(), ...waiting.values()]) expect(() => new Date(sinceMs).toISOString()).not.toThrow();
      }
      // What was read is what the next start reads.
      await opened.close();
      opened = await FileStore.open(folder, () => NOW_MS);
      expect((await opened.readAll()).map(({ name, holders }) => [name, [...holders.keys()]])).toEqual(groups.map(({ name, holders }) => [name, [...holders.keys()]]));
    } finally {
      await opened.close();
    }
  }), { seed: FUZZ_SEED, numRuns: fuzzRuns(100) });
}, fuzzTimeoutMs(60_000));
