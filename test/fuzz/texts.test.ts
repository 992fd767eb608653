import fc from 'fast-check';
import { parseDeviceTokens } from '../../coordinator/config/device-tokens';
import { parseNewGroups } from '../../coordinator/config/new-groups';
import { parseDuration } from '../../server/duration';
import { parseStoredFleet } from '../../sidecar/holders/fleet/fleet-memory';
import { parseStoredOverride } from '../../sidecar/holders/override/override';
import { parseProbes } from '../../sidecar/holders/probes/probe-settings';
import { parseStoredSoak } from '../../sidecar/holders/soak/stored-soak';
import { CONTROL_TAG_NAMES, readControlTag } from '../../sidecar/holders/tags/control-tag';
import { afterAnswer, meaningOf, parseStoredTags } from '../../sidecar/holders/tags/known-tags';
import { AllowedTimes } from '../../sidecar/holders/windows/allowed-times';
import { readFreezes, readTimeZone, readWindows } from '../../sidecar/holders/windows/time-settings';
import { parseContainers, parseReading, parseStateStatus } from '../../sidecar/supervisor/reading';
import { readRebootJournal } from '../../sidecar/supervisor/reboot-journal';
import { parseTargetCommit } from '../../sidecar/supervisor/target';
import { FUZZ_SEED, fuzzRuns, fuzzTimeoutMs } from '../support/fuzz';
import { mutatedJson, mutatedText } from './mutations';

const parameters = { seed: FUZZ_SEED, numRuns: fuzzRuns(1000) };

const WINDOWS = ['Mon-Fri 22:00-06:00; Sat,Sun 00:00-24:00', 'never', 'boot+10m', '02:00-04:00; boot+1h30m', 'Sun 23:30-23:30'];
const FREEZES = ['2026-12-20..2027-01-04; 2027-11-26', '2028-02-29'];
const ZONES = ['Europe/London', 'UTC', 'America/Argentina/Buenos_Aires', ':Asia/Kathmandu'];

const from = (texts: readonly string[]): fc.Arbitrary<string> => mutatedText(fc.constantFrom(...texts));

test(`windows, freezes and zones are read or refused in words, and whatever is read says at any time whether updates are allowed (seed ${String(FUZZ_SEED)})`, () => {
  const instant = fc.integer({ min: 0, max: 4e12 });
  fc.assert(fc.property(from(WINDOWS), from(FREEZES), fc.oneof(from(ZONES), fc.constantFrom(...ZONES)), instant, (windowText, freezeText, zoneText, wallMs) => {
    const [windows, freezes, zone] = [readWindows(windowText), readFreezes(freezeText), readTimeZone(zoneText)];
    for (const read of [windows, freezes, zone]) if (!read.ok) expect(read.problem).toMatch(/\w/);
    const times = new AllowedTimes({
      windows: windows.ok ? windows.value : null,
      freezes: freezes.ok ? freezes.value : null,
      timeZone: zone.ok ? zone.value : 'UTC',
    });
    const status = times.at({ wallMs, monotonicMs: wallMs % 1e8, isClockSet: wallMs % 2 === 0 });
    for (const at of [status.opensAtWallMs, status.closesAtWallMs]) expect(at === null || at > wallMs).toBe(true);
  }), parameters);
}, fuzzTimeoutMs(60_000));

test(`control tags are read or refused in words, and what is stored of them means the same (seed ${String(FUZZ_SEED)})`, () => {
  const value = from([...WINDOWS, ...FREEZES, ...ZONES, 'until 2026-12-01T12:00Z stocktaking', 'until 2026-12-01', 'stocktaking']);
  fc.assert(fc.property(fc.constantFrom(...CONTROL_TAG_NAMES), value, (name, text) => {
    const read = readControlTag(name, text);
    if (!read.ok) expect(read.problem).toMatch(/\w/);
    const { texts } = afterAnswer({}, 'lock', [{ name: `lock.${name}`, value: text }]);
    const stored = parseStoredTags(JSON.parse(JSON.stringify({ version: 1, tags: texts })));
    expect(meaningOf(stored?.tags ?? {})).toEqual(meaningOf(texts));
  }), parameters);
}, fuzzTimeoutMs(60_000));

test(`a file with tokens is read whole or refused, without a token in the message (seed ${String(FUZZ_SEED)})`, () => {
  const lines = ['# devices', '0123456789abcdef SECRET-one', 'kitchen  SECRET-two', '', 'ünïcode\tSECRET-three'].join('\n');
  fc.assert(fc.property(mutatedText(fc.constant(lines)), (text) => {
    const read = parseDeviceTokens(text, 'admin');
    if (!read.ok) expect(read.mistakes.join()).not.toContain('SECRET-o');
    else for (const token of read.tokens.values()) expect(token).toMatch(/^[\x21-\x7e]{1,512}$/);
  }), parameters);
}, fuzzTimeoutMs(60_000));

test(`groups, probes and durations of settings are read or refused in words (seed ${String(FUZZ_SEED)})`, () => {
  const probes = JSON.stringify([{ name: 'jenkins', url: 'http://ci/api', holdWhen: '/"building":true/i', every: '30s', timeout: '5s', onError: 'keep' }]);
  fc.assert(fc.property(from(['default=1; canary=5', '*=1', 'a=0']), from([probes]), from(['1h30m', '90', '500ms', '1d2h3m4s5ms', '1.5h']), (groups, probe, duration) => {
    try {
      for (const slots of parseNewGroups(groups).slots.values()) expect(slots).toBeGreaterThanOrEqual(0);
    } catch (error) {
      expect((error as Error).name).toBe('Error');
    }
    expect(parseProbes(probe)).toHaveProperty('ok');
    const ms = parseDuration(duration);
    expect(ms === null || (Number.isInteger(ms) && ms >= 0)).toBe(true);
  }), parameters);
}, fuzzTimeoutMs(60_000));

const FLEET = { version: 1, instance: 'a-b-c', memory: { turn: { sinceMs: 1e12, names: { url: 'http://f', group: 'g', id: 'i' } }, asked: null, toReturn: [{ url: 'http://f', group: 'g', id: 'i' }] } };
const STORED: readonly [string, (json: unknown) => unknown, unknown][] = [
  ['a fleet', parseStoredFleet, FLEET],
  ['an override', parseStoredOverride, { version: 1, override: { updates: 'hold', reason: 'why', sinceWallMs: 1e12, untilWallMs: 2e12 } }],
  ['a soak', parseStoredSoak, { version: 1, soak: { commit: 'abc', sinceMs: 1, seenMs: 1 } }],
  ['tags', parseStoredTags, { version: 1, tags: { windows: '02:00-04:00', hold: 'stocktaking' } }],
];
const ANSWERS: readonly [string, (json: unknown) => unknown, unknown][] = [
  ['the device', parseReading, { update_pending: true, update_downloaded: false, update_failed: true, status: 'Idle', commit: 'abc', supervisor_version: '19.0.5' }],
  ['its state', parseStateStatus, { status: 'success', overallDownloadProgress: null, images: [{ status: 'Downloading' }], release: 'abc' }],
  ['its containers', parseContainers, { containers: [{ appId: 1, serviceName: 'main', status: 'Running' }] }],
  ['its target', (json) => parseTargetCommit(json, '123'), { '123': { commit: 'abc', services: {} } }],
];

test.each([...STORED, ...ANSWERS])(`what is stored or answered of %s is understood or not, and nothing throws (seed ${String(FUZZ_SEED)})`, (_, parse, right) => {
  fc.assert(fc.property(mutatedJson(fc.constant(right)), (json) => { parse(json); }), parameters);
}, fuzzTimeoutMs(60_000));

test(`the journal of the host is understood or not, and nothing throws (seed ${String(FUZZ_SEED)})`, () => {
  const line = '1795000000.123456 abc safe_reboot[12]: /tmp/balena-supervisor/services/1/main/updates.lock exists, busy waiting on unlocking for reboot.\n';
  fc.assert(fc.property(mutatedText(fc.constant(line)), (text) => { readRebootJournal(text); }), parameters);
}, fuzzTimeoutMs(60_000));
