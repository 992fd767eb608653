import './imitations';
import { actionNamed } from './actions';
import { Enumeration, IS_COMPLETE, withDisk } from './enumerate';
import { SCENARIOS, scenariosNamed } from './scenarios';

const ACTIONS = [
  'the sidecar crashes', 'the Supervisor tries', 'the Supervisor forces', 'Helios forces', 'somebody removes updates.lock', 'somebody makes a file at resin-updates.lock',
  'the disk fills', 'time jumps to the next end',
].map(actionNamed);

const SOME = scenariosNamed('renew one');

test('whatever happens twice, the laws of the lock are kept', () => {
  const found = withDisk((disk) => {
    const enumeration = new Enumeration(disk);
    enumeration.pairs(IS_COMPLETE ? SCENARIOS : SOME, ACTIONS);
    return enumeration;
  });
  console.info(`${String(found.count)} pairs of interleavings`);
  expect(found.violations.slice(0, 20)).toEqual([]);
}, IS_COMPLETE ? 7_200_000 : 300_000);
