import fc from 'fast-check';
import { existsSync, rmSync } from 'node:fs';
import { endLease, type EndedLease, type Lease } from '../../sidecar/leases/lease';
import type { Journal, Recovered } from '../../sidecar/journal/journal';
import { decodeLine, RECORD_BYTES } from '../../sidecar/journal/record';
import { SmallDisk } from '../support/small-disk';
import { BOOT, JournalFile, NOW_MS } from '../unit/journal-file';
import { makeLease } from '../unit/make-lease';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const NO_HEADER = { lostAtMs: null, wallOffsetMs: null, isStartOver: false, update: null };

type Step =
  | { readonly kind: 'write' | 'end'; readonly name: string }
  | { readonly kind: 'header' | 'fill' | 'makeRoom' | 'delete' };

interface Damage {
  readonly kind: 'none' | 'overwrite' | 'insert' | 'cut' | 'truncate' | 'delete' | 'strip';
  /** Where, in thousandths of the file. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A journal on a disk that may be full, and what was acknowledged. */
class Bench {
  readonly file: JournalFile;
  #live = new Map<string, Lease>();
  #ended = new Map<string, EndedLease>();
  #count = 0;
  #isFull = false;

  constructor(private readonly disk: SmallDisk) {
    this.file = new JournalFile(disk.path);
  }

  /** One life of a process, then damage, then two starts, which have to agree. */
  live(steps: readonly Step[], damage: Damage): void {
    const session = (journal: Journal): void => {
      for (const step of steps) this.#take(step, journal);
    };
    this.#use(session);
    const undamaged = this.#damage(damage);
    const first = this.#start();
    expect(this.#start()).toEqual({ ...first, problems: [] });
    for (const lease of undamaged) expect([...first.live, ...first.ended]).toContainEqual(lease);
    // Nothing comes to life that has ended, or never was.
    for (const lease of first.live) expect(this.#live.get(lease.name)).toEqual(lease);
    this.#live = new Map(first.live.map((lease) => [lease.name, lease]));
    this.#ended = new Map(first.ended.map((lease) => [lease.name, lease]));
  }

  close(): void {
    this.disk.makeRoom();
    rmSync(this.file.path, { force: true });
  }

  #take(step: Step, journal: Journal): void {
    switch (step.kind) {
      case 'write':
        this.#write(journal, step.name);
        return;
      case 'end':
        this.#end(journal, step.name);
        return;
      case 'header':
        journal.writeHeader(NO_HEADER);
        return;
      case 'fill':
        this.#setFull(true);
        return;
      case 'makeRoom':
        this.#setFull(false);
        return;
      case 'delete':
        rmSync(this.file.path, { force: true });
    }
  }

  #write(journal: Journal, name: string): void {
    const before = this.#live.get(name);
    this.#count += 1;
    const lease = before === undefined ? makeLease(name, { id: `id-${String(this.#count)}`, sinceMs: this.#count }) : { ...before, renewals: before.renewals + 1 };
    try {
      if (journal.isRemoved()) journal.restore(NO_HEADER, this.#live.values());
      journal.write(lease);
    } catch (error) {
      // Not acknowledged, then; only a full disk is an excuse.
      expect([this.#isFull, String(error)]).toEqual([true, expect.stringContaining('ENOSPC')]);
      return;
    }
    this.#live.set(name, lease);
    this.#ended.delete(name);
  }

  #end(journal: Journal, name: string): void {
    const lease = this.#live.get(name);
    if (lease === undefined) return;
    this.#count += 1;
    const ended = endLease(lease, 'released', this.#count);
    journal.writeEnded(ended);
    this.#live.delete(name);
    this.#ended.set(name, ended);
  }

  /** Damages the file as told. Returns the leases whose lines have nothing to do with that. */
  #damage({ kind, at, bytes }: Damage): (Lease | EndedLease)[] {
    if (!existsSync(this.file.path)) return [];
    const { content } = this.file;
    const written = leasesIn(content);
    // Up to here nobody has touched the file: everything that was acknowledged is there.
    expect(written.flatMap(({ lease }) => ('ended' in lease ? [] : [lease])).sort(byName)).toEqual([...this.#live.values()].sort(byName));
    const from = Math.floor((at * content.length) / 1000);
    const length = Math.min(bytes.length, content.length - from);
    const [first, last] = [Math.floor(from / RECORD_BYTES) - 1, Math.floor((from + length) / RECORD_BYTES)];
    const untouched = written.filter(({ slot }) => slot < first || slot > last).map(({ lease }) => lease);
    const [head, tail] = [content.subarray(0, from), content.subarray(from + length)];
    switch (kind) {
      case 'none':
        return written.map(({ lease }) => lease);
      case 'delete':
        rmSync(this.file.path);
        return [];
      case 'strip':
        // As an editor does that removes the spaces at the ends of lines.
        this.#replace(Buffer.from(content.toString('latin1').replaceAll(/ +\n/g, '\n'), 'latin1'));
        return written.map(({ lease }) => lease);
      case 'truncate':
        this.#replace(head);
        return written.filter(({ slot }) => slot < first).map(({ lease }) => lease);
      case 'overwrite':
        this.#replace(Buffer.concat([head, bytes.subarray(0, length), tail]));
        return untouched;
      case 'insert':
        this.#replace(Buffer.concat([head, bytes, content.subarray(from)]));
        return untouched;
      case 'cut':
        this.#replace(Buffer.concat([head, tail]));
        return untouched;
    }
  }

  #replace(content: Buffer): void {
    this.disk.makeRoom();
    this.file.content = content;
    if (this.#isFull) this.disk.fill();
  }

  /** A start on a full disk may fail; then there has to be room, and nothing may be lost for it. */
  #start(): Recovered {
    return this.#use(() => undefined);
  }

  #use(action: (journal: Journal) => void): Recovered {
    try {
      return this.file.use(action);
    } catch (error) {
      expect([this.#isFull, String(error)]).toEqual([true, expect.stringContaining('ENOSPC')]);
      this.#setFull(false);
      return this.file.use(action);
    }
  }

  #setFull(isFull: boolean): void {
    this.#isFull = isFull;
    if (isFull) this.disk.fill();
    else this.disk.makeRoom();
  }
}

const byName = (a: Lease, b: Lease): number => a.name.localeCompare(b.name);

function leasesIn(content: Buffer): { slot: number; lease: Lease | EndedLease }[] {
  return Array.from({ length: Math.floor(content.length / RECORD_BYTES) }, (_, slot) => slot).flatMap((slot) => {
    const decoded = decodeLine(content.toString('utf8', slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES - 1), { boot: BOOT, nowMs: NOW_MS });
    return decoded.kind === 'record' && decoded.record.kind === 'lease' ? [{ slot, lease: decoded.record.lease }] : [];
  });
}

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('header' as const, 'fill' as const, 'makeRoom' as const, 'delete' as const) }) },
);
const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('none', 'overwrite', 'insert', 'cut', 'truncate', 'delete', 'strip'),
  at: fc.nat(1000),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 30 }),
    fc.nat(3 * RECORD_BYTES).map((length) => Buffer.alloc(length + 1, 0x20)),
    fc.constantFrom('\n', '# edited by hand\n', '\0'.repeat(RECORD_BYTES)).map((text) => Buffer.from(text)),
  ),
});
const life = fc.tuple(fc.array(step, { maxLength: 15 }), damage);

const write = (...names: string[]): Step[] => names.map((each) => ({ kind: 'write', name: each }));
const NO_DAMAGE: Damage = { kind: 'none', at: 0, bytes: Buffer.alloc(1) };

/** How leases were once lost. */
const EXAMPLES: [[Step[], Damage][]][] = [
  // One line damaged, then the journal deleted while it is written.
  [[
    [write('a', 'b', 'c'), { kind: 'overwrite', at: 500, bytes: Buffer.from('xxx') }],
    [[{ kind: 'delete' }, ...write('d', 'e')], NO_DAMAGE],
  ]],
  // All lines shifted, on a disk without room for a second journal.
  [[
    [[...write(...NAMES), { kind: 'fill' }], { kind: 'insert', at: 0, bytes: Buffer.from('junk\n') }],
    [write('a'), NO_DAMAGE],
  ]],
  // All lines shorter than they were, on a disk without room for what they need.
  [[
    [[...write(...NAMES), { kind: 'fill' }], { kind: 'strip', at: 0, bytes: Buffer.alloc(1) }],
    [write('a', 'b'), NO_DAMAGE],
  ]],
];

/** So small that the journal of all names fits twice only if nothing else is there. */
const disk = new SmallDisk('64k');
afterAll(() => { disk.remove(); });

test('however a journal is damaged, and whenever the disk is full, nothing is lost but what was damaged, and every start sees the same', () => {
  fc.assert(
    fc.property(fc.array(life, { minLength: 1, maxLength: 4 }), (lives) => {
      const bench = new Bench(disk);
      try {
        for (const [steps, harm] of lives) bench.live(steps, harm);
      } finally {
        bench.close();
      }
    }),
    { numRuns: 300, examples: EXAMPLES },
  );
});
