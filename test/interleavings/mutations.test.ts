import './imitations';
import { unlinkSync } from 'node:fs';
import { BootNotes } from '../../sidecar/keeper/boot-notes';
import { HeldLock } from '../../sidecar/keeper/held-lock';
import { Keeper } from '../../sidecar/keeper/keeper';
import { LeaseBook } from '../../sidecar/keeper/lease-book';
import { LockStore } from '../../sidecar/keeper/lock-store';
import { Journal } from '../../sidecar/journal/journal';
import { LeaseTable } from '../../sidecar/leases/lease-table';
import { Anchor } from '../../sidecar/lock/anchor';
import { HeldFlock } from '../../sidecar/lock/held-flock';
import { actionNamed } from './actions';
import { Enumeration, withDisk } from './enumerate';
import { scenariosNamed } from './scenarios';

/** One mistake in the sidecar. */
interface Mutation {
  readonly law: number;
  readonly mistake: string;
  /** Puts a broken function in the place of the right one, which the function returned puts back. */
  readonly make: () => () => void;
  readonly scenario: string;
  /** Null if nothing has to step in. */
  readonly action: string | null;
}

/** Replaces a method by one that may call it. */
function replaced<T extends object, K extends keyof T>(prototype: T, name: K, by: (right: T[K]) => T[K]): () => void {
  const right = prototype[name];
  prototype[name] = by(right);
  return () => { prototype[name] = right; };
}

const MUTATIONS: readonly Mutation[] = [
  {
    law: 1,
    mistake: 'a stop gives up the flock',
    make: () => replaced(HeldFlock.prototype, 'release', (right) => function (this: HeldFlock) { right.call(this, false); }),
    scenario: 'stop',
    action: null,
  },
  {
    law: 1,
    mistake: 'a lease that expires gives back the lock of another',
    make: () => replaced(LeaseBook.prototype, 'end', (right) => function (this: LeaseBook, ...args) {
      const ended = right.apply(this, args);
      storeOf(this).giveBack();
      return ended;
    }),
    scenario: 'expire one of two',
    action: null,
  },
  {
    law: 2,
    mistake: 'a lease is not written down',
    make: () => replaced(LockStore.prototype, 'record', () => () => null),
    scenario: 'take',
    action: null,
  },
  {
    law: 2,
    mistake: 'a renewal is not written down',
    make: () => replaced(HeldLock.prototype, 'renew', () => function (this: HeldLock, lease) {
      bookOf(this).put(lease);
      return null;
    }),
    scenario: 'renew one',
    action: 'the sidecar crashes',
  },
  {
    law: 2,
    mistake: 'the last release removes the file first, and then writes the journal',
    make: () => replaced(LeaseBook.prototype, 'end', (right) => function (this: LeaseBook, ...args) {
      if (this.size === 1) storeOf(this).giveBack();
      return right.apply(this, args);
    }),
    scenario: 'release the last',
    action: 'the sidecar crashes',
  },
  {
    law: 3,
    mistake: 'names are removed with the rights of root',
    make: () => replaced(Anchor.prototype, 'unlink', () => function (this: Anchor, path) {
      (this as unknown as { user: { actAsStarted(action: () => void): void } }).user.actAsStarted(() => { unlinkSync(path); });
    }),
    scenario: 'release the last',
    action: 'the Supervisor forces',
  },
  {
    law: 3,
    mistake: 'the lock is taken over what stands at its name',
    make: () => replaced(Anchor.prototype, 'linkTo', (right) => function (this: Anchor, path) {
      (this as unknown as { user: { actAsStarted(action: () => void): void } }).user.actAsStarted(() => {
        try { unlinkSync(path); } catch { /* There was nothing. */ }
      });
      right.call(this, path);
    }),
    scenario: 'take',
    action: 'the Supervisor tries',
  },
  {
    law: 4,
    mistake: 'a loss is not noticed',
    make: () => replaced(HeldLock.prototype, 'loseIfTakenAway', () => () => undefined),
    scenario: 'renew one',
    action: 'somebody removes updates.lock',
  },
  {
    law: 4,
    mistake: 'there is no cooldown after a loss',
    make: () => replaced(BootNotes.prototype, 'recordLoss', () => () => undefined),
    scenario: 'lose, and ask at once',
    action: null,
  },
  {
    law: 5,
    mistake: 'leases expire too early',
    make: () => replaced(LeaseTable.prototype, 'due', (right) => function (this: LeaseTable, nowMs) { return right.call(this, nowMs + 1000); }),
    scenario: 'expire one of two',
    action: null,
  },
  {
    law: 5,
    mistake: 'a journal of another boot is believed',
    make: () => replaced(Journal, 'open', (right) => (files, present) => right.call(Journal, files, { ...present, boot: 'boot-1' })),
    scenario: 'recover after a reboot',
    action: null,
  },
  {
    law: 6,
    mistake: 'leases are granted without the flock',
    make: () => replaced(LockStore.prototype, 'whyNotFlocked', () => () => null),
    scenario: 'renew while another process has the flock',
    action: null,
  },
  {
    law: 6,
    mistake: 'nothing is released on a full disk',
    make: () => replaced(Keeper.prototype, 'release', (right) => function (this: Keeper, ...args) {
      const { disk } = this.status().obstacles;
      return disk === null ? right.apply(this, args) : { kind: 'refused', refusal: disk };
    }),
    scenario: 'renew one',
    action: 'the disk fills',
  },
];

function storeOf(book: LeaseBook): LockStore {
  return (book as unknown as { store: LockStore }).store;
}

function bookOf(lock: HeldLock): LeaseBook {
  return (lock as unknown as { book: LeaseBook }).book;
}

test.each(MUTATIONS)('law $law is seen to be broken where $mistake', ({ law, make, scenario, action }) => {
  const actions = action === null ? [] : [actionNamed(action)];
  const [right, wrong] = withDisk((disk) => {
    const before = new Enumeration(disk);
    before.singles(scenariosNamed(scenario), actions);
    const putBack = make();
    const after = new Enumeration(disk);
    try {
      after.singles(scenariosNamed(scenario), actions);
    } finally {
      putBack();
    }
    return [before.violations, after.violations];
  });
  expect(right).toEqual([]);
  expect(wrong).toContainEqual(expect.stringContaining(`law ${String(law)}: `));
});
