import './imitations';
import { actionNamed } from './actions';
import { Enumeration, IS_COMPLETE, withDisk } from './enumerate';
import { SCENARIOS, scenariosNamed } from './scenarios';

const SOME_ACTIONS = ['the sidecar crashes', 'the Supervisor forces', 'the disk fills', 'time jumps to the next end'].map(actionNamed);
const ACTIONS = [
  ...SOME_ACTIONS,
  ...['the Supervisor tries', 'Helios forces', 'somebody removes updates.lock', 'somebody makes a file at resin-updates.lock', 'the journal is removed'].map(actionNamed),
];

test('whatever happens twice, the laws of the lock are kept', () => {
  const found = withDisk((disk) => {
    const enumeration = new Enumeration(disk);
    if (IS_COMPLETE) enumeration.pairs(SCENARIOS, ACTIONS);
    else enumeration.pairs(scenariosNamed('renew one'), SOME_ACTIONS);
    return enumeration;
  });
  console.info(`${String(found.count)} pairs of interleavings`);
  expect(found.violations.slice(0, 20)).toEqual([]);
}, IS_COMPLETE ? 7_200_000 : 600_000);
