import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SmallDisk } from '../support/small-disk';
import { makeEndedLease, makeLease } from './make-lease';
import { JournalFile, namesOf } from './journal-file';

let disk: SmallDisk;
let file: JournalFile;

beforeEach(() => {
  disk = new SmallDisk('64k');
  file = new JournalFile(disk.path);
});
afterEach(() => { disk.remove(); });

/** Writes leases until the disk is full; the names of those that were written. */
function writeUntilFull(): string[] {
  const written: string[] = [];
  expect(() => {
    file.use((journal) => {
      for (let index = 0; index < 100; index += 1) {
        const name = `n${String(index)}`;
        journal.write(makeLease(name, { sinceMs: index }));
        written.push(name);
      }
    });
  }).toThrow('ENOSPC');
  expect(statfsSync(disk.path).bavail).toBe(0);
  return written;
}

test('a lease that finds no room is refused, and those before it are all there', () => {
  const written = writeUntilFull();
  expect(written.length).toBeGreaterThan(10);
  expect(namesOf(file.recover().live)).toEqual(written);
});

test('on a full disk leases are renewed and released in place, and losses recorded', () => {
  const written = writeUntilFull();
  file.use((journal) => {
    journal.write(makeLease('n0', { renewals: 1 }));
    for (const name of written.slice(1)) journal.writeEnded(makeEndedLease(name, 50));
    journal.writeHeader({ lostAtMs: 51, wallOffsetMs: null, isStartOver: false, update: null });
  });
  const { live, ended, lostAtMs } = file.recover();
  expect(live).toEqual([makeLease('n0', { renewals: 1 })]);
  expect(namesOf(ended)).toEqual(written.slice(1));
  expect(lostAtMs).toBe(51);
});

test('a lease that found no room can be written once there is some, and takes no more of it than its line', () => {
  writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(8 * 4096));
  file.use((journal) => {
    let failures = 0;
    const attempt = (name: string): void => {
      try {
        journal.write(makeLease(name));
      } catch {
        failures += 1;
      }
    };
    for (let index = 0; index < 40; index += 1) attempt(`n${String(index)}`);
    expect(failures).toBeGreaterThan(5);
    writeFileSync(join(disk.path, 'ballast'), '');
    attempt('late');
  });
  const { live } = file.recover();
  expect(namesOf(live)).toContain('late');
  expect(file.slots).toBe(1 + live.length);
});

test('a journal whose lines are out of place is put in order even if there is no room for a second one', () => {
  const written = writeUntilFull();
  const { content } = file;
  file.content = Buffer.concat([Buffer.from('x\n'), content.subarray(0, content.length - 2)]);
  expect(namesOf(file.recover().live)).toEqual(written);
  expect(namesOf(file.recover().live)).toEqual(written);
});
