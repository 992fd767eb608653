import type { AcknowledgedLease, Force, Sight } from './history';
import { violations } from './violations';

const lease = (from: number, until: number, more: Partial<AcknowledgedLease> = {}): AcknowledgedLease => ({ name: 'recorder', askedMs: from - 5, fromMs: from, untilMs: until, ...more });
const passed = (fromMs: number, toMs: number): Sight => ({ kind: 'passed', by: 'a reader', fromMs, toMs });
const taken = (fromMs: number, toMs: number): Sight => ({ kind: 'taken', by: 'a reader', fromMs, toMs });
const listed = (fromMs: number, toMs: number, ...names: string[]): Sight => ({ kind: 'listed', names: new Set(names), fromMs, toMs });
const force = (fromMs: number, toMs: number): Force => ({ fromMs, toMs });

interface Case {
  readonly leases: AcknowledgedLease[];
  readonly forces?: Force[];
  readonly sights: Sight[];
}

const WRONG: Readonly<Record<string, Case>> = {
  'the lock was not there while a lease was live': { leases: [lease(100, 200)], sights: [passed(110, 120)] },
  'or at the very instant of the answer': { leases: [lease(100, 200)], sights: [passed(100, 100)] },
  'the second of two leases has no lock': { leases: [lease(100, 150), lease(120, 300, { name: 'player' })], sights: [passed(160, 170)] },
  'somebody else has the lock when a lease is acknowledged': { leases: [lease(100, 200)], sights: [taken(50, 101)] },
  'somebody else takes the lock before a lease is let go': { leases: [lease(100, 200)], sights: [taken(199, 300)] },
  'a long lease is broken after many short ones': {
    leases: [lease(0, 5000, { name: 'long' }), ...Array.from({ length: 50 }, (_, n) => lease(n * 10, n * 10 + 5, { name: `short-${n}` }))],
    sights: [...Array.from({ length: 50 }, (_, n): Sight => ({ kind: 'live', name: `short-${n}`, fromMs: n * 10, toMs: n * 10 + 1 })), passed(4000, 4001)],
  },
  'a client is told that its lease has ended': { leases: [lease(100, 200)], sights: [{ kind: 'ended', name: 'recorder', fromMs: 150, toMs: 150 }] },
  'a lease is missing in the list': { leases: [lease(100, 200)], sights: [listed(150, 160, 'player')] },
  'a lease was acknowledged before a forced update, and there is a gap before that': { leases: [lease(100, 200)], forces: [force(150, 155)], sights: [passed(120, 130)] },
  'the forced update has the lock, and a lease is granted': { leases: [lease(100, 200, { askedMs: 90 })], forces: [force(50, 55)], sights: [taken(55, 110)] },
  'a lease that was asked for after a forced update has no lock': { leases: [lease(100, 200, { askedMs: 90 })], forces: [force(50, 55)], sights: [passed(110, 120)] },
  'a lease is renewed that a forced update has ended': { leases: [lease(100, 200)], forces: [force(150, 155)], sights: [{ kind: 'live', name: 'recorder', fromMs: 156, toMs: 160 }] },
  'an update is forced while a lease is live, and does not get the lock': { leases: [lease(100, 200)], forces: [force(150, 155)], sights: [{ kind: 'not-forced', fromMs: 150, toMs: 150 }] },
  'or is listed': { leases: [lease(100, 120)], forces: [force(150, 155)], sights: [listed(156, 160, 'recorder')] },
};

const RIGHT: Readonly<Record<string, Case>> = {
  'nobody got past the lock': { leases: [lease(100, 200)], sights: [] },
  'somebody got past it before the answer': { leases: [lease(100, 200)], sights: [passed(80, 99)] },
  'somebody who began before the answer may have got past it then': { leases: [lease(100, 200)], sights: [passed(99, 120)] },
  'somebody who was done after the end may have got past it then': { leases: [lease(100, 200)], sights: [passed(190, 201)] },
  'others have the lock before and after': { leases: [lease(100, 200)], sights: [taken(50, 100), taken(200, 300)] },
  'another lease has ended': { leases: [lease(100, 200)], sights: [{ kind: 'ended', name: 'player', fromMs: 150, toMs: 150 }] },
  'a list of the time before the answer does not have it': { leases: [lease(100, 200)], sights: [listed(95, 130), listed(140, 150, 'recorder')] },
  'a forced update has ended it': { leases: [lease(100, 200)], forces: [force(150, 155)], sights: [passed(150, 152), taken(155, 190), listed(160, 170)] },
  'its answer arrives after a forced update, but it was asked for before': { leases: [lease(160, 200, { askedMs: 140 })], forces: [force(150, 155)], sights: [passed(170, 175)] },
  'it is listed by an answer that may be older than the forced update': { leases: [lease(100, 200)], forces: [force(150, 155)], sights: [listed(149, 160, 'recorder')] },
  'an update that is forced while a lease is being granted does not get the lock': { leases: [lease(151, 200)], forces: [force(150, 155)], sights: [{ kind: 'not-forced', fromMs: 150, toMs: 150 }] },
  'the list has leases of which nobody was told': { leases: [], forces: [force(150, 155)], sights: [listed(156, 160, 'recorder')] },
};

test.each(Object.entries(WRONG))('found: %s', (_title, { leases, forces = [], sights }) => {
  expect(violations({ leases, forces, sights })).toHaveLength(1);
});

test.each(Object.entries(RIGHT))('not found: %s', (_title, { leases, forces = [], sights }) => {
  expect(violations({ leases, forces, sights })).toEqual([]);
});
