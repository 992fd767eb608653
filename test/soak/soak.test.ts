import { resolve } from 'node:path';
import { ProbedServer } from '../support/probed-server';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { vitalsOf, type Vitals } from './vitals';
import { holdLeases, Probed, requestLeases, Windows, type Amount } from './work';

/** `npm run soak` does a month's work, in equal parts; a run of all tests does enough to see what grows with every request, hold, window or probe. */
const IS_WHOLE = process.env['SOAK'] === 'whole';
const PARTS = IS_WHOLE ? 20 : 1;
const PART: Amount = IS_WHOLE
  ? { requests: 50_000, holds: 2500, windows: 1000, probes: 1000 }
  : { requests: 2000, holds: 100, windows: 60, probes: 60 };
/** What may be more at the end: a request may be on its way, and of memory a whole soak shows a leak of 3 bytes a request. */
const MAY_GROW: Vitals = { heapBytes: 3_000_000, timers: 5, descriptors: 5, children: 0, journalBytes: 0, series: 0, files: 0 };

afterEach(async () => {
  ProbedServer.cleanUp();
  await Sidecar.cleanUp();
});

test(`after ${PARTS} times ${JSON.stringify(PART)} the sidecar is as it was`, async () => {
  const folder = makeFolder();
  const probed = await Probed.start();
  const windows = new Windows(folder);
  const sidecar = await Sidecar.start({
    folder,
    environment: {
      UPDATE_LOCK_LOG_LEVEL: 'info',
      UPDATE_LOCK_PORT: '0',
      UPDATE_LOCK_HOST: '127.0.0.1',
      NODE_OPTIONS: `--require ${resolve(__dirname, 'inside.cjs')}`,
      ...probed.environment,
      ...windows.environment,
    },
  });
  const { tcpTarget } = sidecar;
  let logged = 0;
  sidecar.process.stdout?.on('data', (chunk: string) => {
    logged += chunk.length;
    if (sidecar.output.length > 1e6) sidecar.output = '';
  });
  const part = async (): Promise<Vitals & { readonly logBytes: number }> => {
    const before = logged;
    await requestLeases(sidecar, tcpTarget, PART.requests);
    await holdLeases(sidecar, tcpTarget, PART.holds);
    await windows.turn(sidecar, PART.windows);
    await probed.change(PART.probes);
    await until(async () => (await sidecar.send('GET', '/v1/leases')).body.leases.length === 0);
    const logBytes = logged - before;
    return { ...(await vitalsOf(sidecar)), logBytes };
  };
  // What it keeps for good, such as the last leases that have ended, is there after the first part.
  const first = await part();
  let last = first;
  for (let done = 0; done < PARTS; done += 1) {
    last = await part();
    if (IS_WHOLE) console.log({ parts: done + 1, processorMs: sidecar.processorMs, ...last });
  }
  const grown = (Object.keys(MAY_GROW) as (keyof Vitals)[]).filter((what) => last[what] - first[what] > MAY_GROW[what]);
  expect({ grown, first, last }).toEqual({ grown: [], first, last });
  expect(last.logBytes / first.logBytes).toBeLessThan(1.2);
}, 3_600_000);
