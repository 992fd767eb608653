import { recoveredLease } from '../../sidecar/leases/grant';
import { makeLease } from './make-lease';

const GRACE_MS = 30_000;
const NOW_MS = 100_000;
const connection = { kind: 'connection', ttlMs: null } as const;
const builtin = { kind: 'builtin', ttlMs: null } as const;

test.each([
  ['a timed lease whose time was up', makeLease('a', { endsAtMs: NOW_MS - 1 }), NOW_MS - 1],
  ['a timed lease that is due now', makeLease('a', { endsAtMs: NOW_MS }), NOW_MS],
  ['a timed lease that would end soon', makeLease('a', { endsAtMs: NOW_MS + 1 }), NOW_MS + GRACE_MS],
  ['a timed lease with time left', makeLease('a', { endsAtMs: NOW_MS + 40_000 }), NOW_MS + 40_000],
  ["a connection's lease", makeLease('a', { ...connection, endsAtMs: null }), NOW_MS + GRACE_MS],
  ["a connection's lease whose holder was given up", makeLease('a', { ...connection, endsAtMs: NOW_MS - 5 }), NOW_MS - 5],
  ["the sidecar's own with an end", makeLease('@start', { ...builtin, endsAtMs: NOW_MS + 1 }), NOW_MS + 1],
  ["the sidecar's own without one", makeLease('@window', { ...builtin, endsAtMs: null }), null],
])('%s ends at the right time after a restart', (_, lease, endsAtMs) => {
  expect(recoveredLease(lease, NOW_MS, GRACE_MS)).toEqual({ ...lease, endsAtMs });
});
