import './imitations';
import { Enumeration, IS_COMPLETE, withDisk } from './enumerate';
import { SCENARIOS, scenariosNamed, WITH_LEGACY_PATH, type Scenario } from './scenarios';

/** The others do at the legacy path what they do at the names in the lock directory. */
const SOME_WITH_LEGACY_PATH = scenariosNamed(...['take', 'release the last', 'expire the last', 'lose one'].map((name) => `${name}, with a legacy path`));

test.each<[string, readonly Scenario[]]>([
  ['without', SCENARIOS],
  ['with', IS_COMPLETE ? WITH_LEGACY_PATH : SOME_WITH_LEGACY_PATH],
])('whatever happens between two file operations, %s a legacy path, the laws of the lock are kept', (kind, scenarios) => {
  const found = withDisk((disk) => {
    const enumeration = new Enumeration(disk);
    enumeration.singles(scenarios);
    return enumeration;
  });
  console.info(`${String(found.count)} interleavings, ${kind} a legacy path`);
  expect(found.violations.slice(0, 20)).toEqual([]);
}, IS_COMPLETE ? 7_200_000 : 600_000);
