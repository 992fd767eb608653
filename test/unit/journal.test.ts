import { endLease } from '../../sidecar/leases/lease';
import { MAX_TOMBSTONES } from '../../sidecar/leases/tombstones';
import { JournalFile, namesOf } from './journal-file';
import { makeEndedLease, makeLease } from './make-lease';

let file: JournalFile;
beforeEach(() => (file = new JournalFile()));
afterEach(() => { file.remove(); });

const NO_HEADER = { lostAtMs: null, wallOffsetMs: null, isStartOver: false, update: null };

test('a journal that is new knows of nothing', () => {
  expect(file.use()).toEqual({ header: NO_HEADER, live: [], ended: [], problems: [] });
});

test('live leases come back oldest first, ended ones in the order of their ends', () => {
  file.use((journal) => {
    for (const [name, sinceMs] of [['third', 3], ['first', 1], ['second', 2], ['x', 4], ['y', 5]] as const) {
      journal.write(makeLease(name, { sinceMs }));
    }
    journal.writeEnded(makeEndedLease('y', 10));
    journal.writeEnded(makeEndedLease('x', 11, 'lost'));
  });
  const { live, ended } = file.recover();
  expect(namesOf(live)).toEqual(['first', 'second', 'third']);
  expect(ended).toEqual([makeEndedLease('y', 10), makeEndedLease('x', 11, 'lost')]);
});

test('a name that has ended and is live again is live, in the place where it was', () => {
  file.use((journal) => {
    journal.write(makeLease('a'));
    journal.writeEnded(makeEndedLease('a', 5));
    journal.write(makeLease('a', { sinceMs: 6 }));
  });
  expect(file.recover()).toEqual({ live: [makeLease('a', { sinceMs: 6 })], ended: [], lostAtMs: null });
  expect(file.slots).toBe(2);
});

test('the end of a lease that is not known is not recorded', () => {
  file.use((journal) => { journal.writeEnded(makeEndedLease('nobody', 5)); });
  expect(file.recover().ended).toEqual([]);
});

test('the journal of another boot is void, also for the boots after it', () => {
  file.use((journal) => {
    journal.write(makeLease('recorder'));
    journal.writeHeader({ ...NO_HEADER, lostAtMs: 5 });
  }, 'another-boot');
  expect(file.use()).toEqual({ header: NO_HEADER, live: [], ended: [], problems: [] });
  expect(file.recover('another-boot').live).toEqual([]);
  expect(file.slots).toBe(1);
});

test('where the kernel does not name the boot, no journal is believed', () => {
  file.use((journal) => { journal.write(makeLease('recorder')); }, '');
  expect(file.use(undefined, '').live).toEqual([]);
});

test('a process that goes on with a journal keeps every lease in its place', () => {
  for (let start = 0; start < 5; start += 1) {
    file.use((journal) => { journal.write(makeLease(`n${String(start)}`, { sinceMs: start })); });
  }
  file.use((journal) => {
    journal.writeEnded(endLease(makeLease('n2', { sinceMs: 2 }), 'released', 10));
    journal.write(makeLease('n3', { sinceMs: 3, renewals: 1 }));
  });
  const { live, ended } = file.recover();
  expect(namesOf(live)).toEqual(['n0', 'n1', 'n3', 'n4']);
  expect(live[2]?.renewals).toBe(1);
  expect(namesOf(ended)).toEqual(['n2']);
  expect(file.slots).toBe(6);
});

test('however many leases come and go, the file is bounded, and remembers the youngest ends', () => {
  file.use((journal) => {
    for (let index = 0; index < 3000; index += 1) {
      journal.write(makeLease(`n${String(index)}`));
      journal.writeEnded(makeEndedLease(`n${String(index)}`, index));
    }
  });
  expect(file.slots).toBe(1 + MAX_TOMBSTONES);
  const { ended } = file.recover();
  expect(namesOf(ended).slice(-MAX_TOMBSTONES)).toEqual(Array.from({ length: MAX_TOMBSTONES }, (_, index) => `n${String(3000 - MAX_TOMBSTONES + index)}`));
});

test('it stays bounded over restarts, with many leases live at once', () => {
  const most = 400;
  for (let round = 0; round < 5; round += 1) {
    file.use((journal, { live }) => {
      for (const lease of live) journal.writeEnded(endLease(lease, 'expired', round));
      for (let index = 0; index < most; index += 1) journal.write(makeLease(`r${String(round)}-${String(index)}`));
    });
  }
  expect(file.recover().live).toHaveLength(most);
  expect(file.slots).toBeLessThanOrEqual(1 + 2 * most + MAX_TOMBSTONES);
  const before = file.slots;
  file.use((journal, { live }) => { for (const lease of live) journal.writeEnded(endLease(lease, 'expired', 99)); });
  expect(file.slots).toBe(before);
});
