import fc from 'fast-check';
import { endLease } from '../../sidecar/leases/lease';
import { RECORD_BYTES } from '../../sidecar/journal/record';
import { JournalFile, namesOf } from './journal-file';
import { makeEndedLease, makeLease } from './make-lease';

/** A journal of five live leases and an ended one, in the lines 1 to 6. */
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const GARBAGE = Buffer.from('\u0000\u001bgarbage{"kind":"lease"}\n\n  \ufffd\n');

let file: JournalFile;
let whole: Buffer;
beforeEach(() => {
  file = new JournalFile();
  file.use((journal) => {
    for (const [index, name] of NAMES.entries()) journal.write(makeLease(name, { sinceMs: index }));
    journal.write(makeLease('over'));
    journal.writeEnded(makeEndedLease('over', 9));
  });
  whole = file.content;
});
afterEach(() => { file.remove(); });

/** What is live when the file is found like this, and goes on being live when it is opened once more. */
function liveAfter(content: Buffer): string[] {
  file.content = content;
  const live = namesOf(file.recover().live);
  expect(namesOf(file.recover().live)).toEqual(live);
  return live;
}

/** With other bytes at that place. */
function overwritten(at: number, bytes: Buffer): Buffer {
  const content = Buffer.from(whole);
  bytes.copy(content, at);
  return content;
}

function inserted(at: number, bytes: Buffer): Buffer {
  return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at)]);
}

test('the file that is damaged below is whole', () => {
  expect(whole).toHaveLength(7 * RECORD_BYTES);
  expect(liveAfter(whole)).toEqual(NAMES);
});

test.each([
  ['in the middle of a line', 3 * RECORD_BYTES + 100, ['a', 'b']],
  ['within the spaces at the end of a line', 4 * RECORD_BYTES - 5, ['a', 'b', 'c']],
  ['between two lines', 3 * RECORD_BYTES, ['a', 'b']],
  ['in the header', 10, []],
  ['to nothing', 0, []],
])('a file that was cut off %s has the leases before that', (_, length, expected) => {
  expect(liveAfter(whole.subarray(0, length))).toEqual(expected);
});

test.each([
  ['text', GARBAGE],
  ['zeros', Buffer.alloc(5000)],
  ['spaces', Buffer.alloc(RECORD_BYTES, 0x20)],
  ['line feeds', Buffer.alloc(3, 0x0a)],
  ['half of its own line', Buffer.alloc(0)],
])('%s after the end harm no lease', (_, bytes) => {
  const appended = bytes.length > 0 ? bytes : whole.subarray(RECORD_BYTES, 1.5 * RECORD_BYTES);
  expect(liveAfter(Buffer.concat([whole, appended]))).toEqual(NAMES);
});

test.each<[string, number, Buffer, string[]]>([
  ['garbage within a line', 3 * RECORD_BYTES + 20, GARBAGE, ['a', 'b', 'd', 'e']],
  ['garbage over the end of a line', 4 * RECORD_BYTES - 3, Buffer.from('XXX'), ['a', 'b', 'd', 'e']],
  ['garbage over the border of two lines', 4 * RECORD_BYTES - 3, Buffer.from('XXXXXX'), ['a', 'b', 'e']],
  ['zeros for a whole line', 3 * RECORD_BYTES, Buffer.alloc(RECORD_BYTES), ['a', 'b', 'd', 'e']],
  ['zeros for a whole page', 2 * RECORD_BYTES, Buffer.alloc(2 * RECORD_BYTES), ['a', 'd', 'e']],
  ['zeros for the header', 0, Buffer.alloc(RECORD_BYTES), NAMES],
  ['line feeds for a whole line', 3 * RECORD_BYTES, Buffer.alloc(RECORD_BYTES, 0x0a), ['a', 'b', 'd', 'e']],
])('%s costs no lease but those it is written over', (_, at, bytes, expected) => {
  expect(liveAfter(overwritten(at, bytes))).toEqual(expected);
});

test('a file of nothing but zeros is a journal of nothing', () => {
  file.content = Buffer.alloc(whole.length);
  expect(file.use()).toMatchObject({ live: [], ended: [] });
  expect(file.slots).toBe(1);
});

test.each<[string, number, Buffer]>([
  ['one byte before everything', 0, Buffer.from('x')],
  ['a line before everything', 0, Buffer.from('# edited by hand\n')],
  ['a short line between two', 3 * RECORD_BYTES, Buffer.from('garbage\n')],
  ['an empty line', 2 * RECORD_BYTES, Buffer.from('\n')],
])('with %s inserted every line is found where it is now, and put back to where it belongs', (_, at, bytes) => {
  file.content = inserted(at, bytes);
  const { live, ended } = file.recover();
  // Only the line that the bytes have become a part of is lost: here the header, if any.
  expect(namesOf(live)).toEqual(NAMES);
  expect(namesOf(ended)).toEqual(['over']);
  expect(file.content.length % RECORD_BYTES).toBe(0);
  expect(namesOf(file.recover().live)).toEqual(NAMES);
});

test('a line without the one before it, or after a strange one, is put back to where it belongs', () => {
  expect(liveAfter(whole.subarray(RECORD_BYTES))).toEqual(NAMES);
  expect(liveAfter(inserted(0, whole.subarray(RECORD_BYTES, 2 * RECORD_BYTES)))).toEqual(NAMES);
});

test('of a header and an older copy before it, the one that knows of the later loss counts', () => {
  file.use((journal, { header }) => { journal.writeHeader({ ...header, lostAtMs: 5 }); });
  const older = file.content;
  file.use((journal, { header }) => { journal.writeHeader({ ...header, lostAtMs: 700 }); });
  file.content = Buffer.concat([older, file.content]);
  expect(file.recover().lostAtMs).toBe(700);
  expect(file.recover().lostAtMs).toBe(700);
});

test('a second line of one name does not bring the lease back after its end', () => {
  file.content = Buffer.concat([whole, whole.subarray(RECORD_BYTES, 2 * RECORD_BYTES)]);
  file.use((journal) => { journal.writeEnded(makeEndedLease('a', 20)); });
  expect(namesOf(file.recover().live)).toEqual(['b', 'c', 'd', 'e']);
});

test.each(['before', 'after'])('an earlier copy of the journal %s the present one changes nothing', (where) => {
  const earlier = whole;
  file.use((journal) => {
    journal.write(makeLease('a', { sinceMs: 0, renewals: 2 }));
    journal.writeEnded(endLease(makeLease('b', { sinceMs: 1 }), 'released', 20));
    journal.write(makeLease('over', { id: 'another', sinceMs: 30 }));
  });
  const present = file.content;
  const { live, ended } = file.recover();
  file.content = Buffer.concat(where === 'before' ? [earlier, present] : [present, earlier]);
  for (let start = 0; start < 2; start += 1) expect(file.recover()).toEqual({ live, ended, lostAtMs: null });
  expect(namesOf(live)).toEqual(['a', 'c', 'd', 'e', 'over']);
});

test('a journal that was put back in order can be written on', () => {
  file.content = inserted(3 * RECORD_BYTES, Buffer.from('garbage\n'));
  file.use((journal) => {
    journal.write(makeLease('c', { sinceMs: 2, renewals: 3 }));
    journal.write(makeLease('new', { sinceMs: 10 }));
    journal.writeEnded(makeEndedLease('a', 11));
  });
  const { live, ended } = file.recover();
  expect(namesOf(live)).toEqual(['b', 'c', 'd', 'e', 'new']);
  expect(live[1]?.renewals).toBe(3);
  expect(namesOf(ended)).toEqual(['over', 'a']);
});

test('a line that was lost makes room for the next lease', () => {
  file.content = overwritten(3 * RECORD_BYTES, Buffer.alloc(RECORD_BYTES));
  file.use((journal) => { journal.write(makeLease('new', { sinceMs: 10 })); });
  expect(namesOf(file.recover().live)).toEqual(['a', 'b', 'd', 'e', 'new']);
  expect(file.slots).toBe(7);
});

test('whatever is written anywhere over the file, every line that it leaves whole is read', () => {
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 3 * RECORD_BYTES }), (at, bytes) => {
      const damage = Buffer.from(bytes).subarray(0, whole.length - at);
      const first = Math.floor(at / RECORD_BYTES);
      const last = Math.floor((at + damage.length - 1) / RECORD_BYTES);
      const untouched = NAMES.filter((_, index) => index + 1 < first || index + 1 > last);
      expect(liveAfter(overwritten(at, damage))).toEqual(expect.arrayContaining(untouched));
    }),
    { numRuns: 200 },
  );
});

test('whatever is inserted or cut out anywhere, at most the lines that it touches are lost', () => {
  fc.assert(
    fc.property(fc.nat(whole.length), fc.uint8Array({ maxLength: 100 }), fc.nat(100), (at, bytes, cut) => {
      const end = Math.min(at + cut, whole.length);
      const first = Math.floor(at / RECORD_BYTES);
      const last = Math.floor(end / RECORD_BYTES);
      // An insertion at the border of two lines may spoil either.
      const untouched = NAMES.filter((_, index) => index + 1 < first - 1 || index + 1 > last);
      expect(liveAfter(Buffer.concat([whole.subarray(0, at), Buffer.from(bytes), whole.subarray(end)]))).toEqual(expect.arrayContaining(untouched));
    }),
    { numRuns: 200 },
  );
});
