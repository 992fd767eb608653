import { EXIT } from './exits';
import { textOf, sidecarOf, type Options } from './arguments';
import { say } from './lease-commands';
import { future } from './moments';
import { tell } from './output';
import { UsageError } from './usage-error';
import { UpdateLock } from '../update-lock';

/** Allows or holds updates by hand, or ends that. */
export async function override(options: Options, [action = '']: readonly string[]): Promise<number> {
  const [forHowLong, reason] = [textOf(options['for']), textOf(options['reason'])];
  if (action === 'allow' || action === 'hold') {
    if (forHowLong === undefined) throw new UsageError(`override ${action} for how long? --for=D`, 'override');
    const { until, inForce } = await new UpdateLock(sidecarOf(options)).setOverride({ updates: action, for: forHowLong, reason });
    say(`updates are ${action === 'allow' ? 'allowed' : 'held'} by hand, until ${future(until, Date.now())}`);
    if (!inForce) tell('the clock of the device is not set yet: the override has no effect until it is');
    return EXIT.ok;
  }
  const given = ['for', 'reason'].find((name) => options[name] !== undefined);
  if (given !== undefined) throw new UsageError(`override clear takes no --${given}`, 'override');
  await new UpdateLock(sidecarOf(options)).clearOverride();
  say('there is no override now');
  return EXIT.ok;
}
