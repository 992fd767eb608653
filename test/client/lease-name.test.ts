import { checkName, makeName } from '../../client/src/lease-name';

describe('a name that is made up', () => {
  test.each(['/app/recorder.js', '/app/-.-.js', '', 'ünïcödé', '/usr/bin/node', `/${'x'.repeat(300)}.mjs`, '[eval]'])('for %j is one', (program) => {
    expect(checkName(makeName(program))).toContain(`-${String(process.pid)}-`);
  });

  test('tells who it is, and is never the same', () => {
    expect(makeName('/app/recorder.js')).toMatch(/^recorder-/);
    expect(new Set(Array.from({ length: 50 }, () => makeName())).size).toBe(50);
  });
});
