import { parseTargetCommit } from '../../sidecar/supervisor/target';

const OURS = { appId: 1, commit: 'aaaa', services: { main: { status: 'Running', releaseId: 7, downloadProgress: null } } };
const OTHER = { appId: 2, commit: 'bbbb', services: {} };

test.each([
  ['the only app', { mine: OURS }, null, 'aaaa'],
  ['the only app, of that number', { mine: OURS }, '1', 'aaaa'],
  ['ours of two', { other: OTHER, mine: OURS }, '1', 'aaaa'],
  ['one of two, and which is not known', { other: OTHER, mine: OURS }, null, null],
  ['another app', { other: OTHER }, '1', null],
  ['no app', {}, null, null],
  ['an app without a commit', { mine: { ...OURS, commit: null } }, '1', null],
  ['an app with a commit that is none', { mine: { ...OURS, commit: 'a\nb' } }, '1', null],
  ['an error', 'not found', null, null],
  ['a list', [], null, null],
])('of %s', (_what, json, appId, commit) => {
  expect(parseTargetCommit(json, appId)).toBe(commit);
});
