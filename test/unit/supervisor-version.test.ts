import { whyTooOld } from '../../sidecar/supervisor/supervisor-version';

test.each(['16.2.0', '16.12.0', '17.0.0', '19.0.5', '16.2.0+rev1', 'a build of our own', null])('%s can be given turns', (version) => {
  expect(whyTooOld(version)).toBeNull();
});

test.each(['16.1.9', '15.12.3', '7.25.3'])('%s cannot', (version) => {
  expect(whyTooOld(version)).toBe(`that needs Supervisor 16.2 or later, and this is ${version}`);
});
