import { whenCauseShows } from '../../sidecar/keeper/loss';
import type { LossCause } from '../../sidecar/events/event';
import type { Standing } from '../../sidecar/lock/classify';

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => { jest.useRealTimers(); });

/** What is told, and when, if a file is at the name for that time. */
function told(standing: Standing, fromMs: number, toMs: number): [LossCause, number][] {
  const startedAtMs = performance.now();
  const sinceMs = (): number => performance.now() - startedAtMs;
  const causes: [LossCause, number][] = [];
  const inspect = () => [{ path: '/l', standing: sinceMs() >= fromMs && sinceMs() < toMs ? standing : ('absent' as const) }];
  whenCauseShows('removed', inspect, (cause) => { causes.push([cause, sinceMs()]); });
  jest.advanceTimersByTime(1000);
  return causes;
}

test.each<[string, [Standing, number, number], [LossCause, number]]>([
  ["the Supervisor's, which comes and stays", ['supervisor', 2, Infinity], ['supervisor', 5]],
  ["the Supervisor's, there for 10 ms only", ['supervisor', 100, 110], ['supervisor', 100]],
  ["Helios's, there for 10 ms only", ['helios', 200, 210], ['helios', 200]],
  ["the Supervisor's, too late", ['supervisor', 260, Infinity], ['removed', 250]],
  ['none', ['absent', 0, Infinity], ['removed', 250]],
])('after a loss the file is %s', (_, file, expected) => {
  expect(told(...file)).toEqual([expected]);
});
