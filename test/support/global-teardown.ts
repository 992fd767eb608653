import { removeLeftOvers } from './fake-wall-clock';
import { removeFolder } from './remove-folder';
import { leftOvers, runFolder } from './test-run';
import { until } from './until';

/** A process that was killed is gone a moment later. */
const GONE_WITHIN_MS = 5000;

/** Fails the run if it has left anything behind that goes on: on a developer's machine it would pile up. */
export default async function tearDown(): Promise<void> {
  try {
    await until(() => leftOvers().length === 0, GONE_WITHIN_MS);
  } catch {
    throw new Error(`The tests have left behind:\n${leftOvers().join('\n')}`);
  }
  await removeFolder(runFolder());
  removeLeftOvers();
}
