import { execFileSync } from 'node:child_process';
import { constants, openSync, closeSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, Sidecar } from '../support/sidecar';
import { until } from '../support/until';

afterEach(() => Sidecar.cleanUp());

type Line = Record<string, unknown>;

const parse = (text: string): Line[] => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line);

test('a line is written before the answer: it survives a kill right after that', async () => {
  const folder = makeFolder();
  const file = join(folder, 'log');
  const wrapper = ['sh', '-c', `exec "$@" >>${file}`, 'sh'];
  for (let round = 0; round < 10; round += 1) {
    const sidecar = Sidecar.spawn({ folder, wrapper });
    await until(() => sidecar.send('GET', '/readyz').then(({ status }) => status === 200, () => false));
    await sidecar.put(`job-${String(round)}`);
    sidecar.process.kill('SIGKILL');
    expect(parse(readFileSync(file, 'utf8'))).toContainEqual(expect.objectContaining({ message: 'lease acquired', name: `job-${String(round)}` }));
    await sidecar.exited();
  }
});

test('lines are in the order in which things happened, each with its own time', async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_HOLD_ON_START: '1m' } });
  const ready = await sidecar.logged('ready');
  const taken = await sidecar.logged('lease acquired', { name: '@start' });
  // The lock is taken before the log is loaded, which takes some tens of milliseconds.
  expect(Date.parse(String(ready['time'])) - Date.parse(String(taken['time']))).toBeGreaterThan(5);
  for (let n = 0; n < 20; n += 1) await sidecar.put(`job-${String(n)}`);
  await sidecar.logged('lease acquired', { name: 'job-19' });
  const times = sidecar.lines().map(({ time }) => String(time));
  expect(times).toEqual(times.toSorted());
});

test('nobody who reads the log costs neither memory nor a request, and the reader who comes back is told what is missing', async () => {
  const folder = makeFolder();
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const sidecar = Sidecar.spawn({ folder, wrapper: ['sh', '-c', `exec "$@" >${pipe}`, 'sh'] });
  await until(() => sidecar.send('GET', '/readyz').then(({ status }) => status === 200, () => false));
  const reason = 'x'.repeat(256);
  for (let n = 0; n < 1000; n += 1) expect((await sidecar.put('job', { reason })).status).toBeLessThan(300);
  const lines = (): Line[] => parse(readAll(reader)).filter(({ message }) => message === 'log lines dropped: nobody read them');
  readAll(reader);
  const dropped: Line[] = [];
  await until(async () => {
    await sidecar.put('job');
    dropped.push(...lines());
    return dropped.length > 0;
  });
  expect(Number(dropped[0]?.['lines'])).toBeGreaterThan(100);
  closeSync(reader);
  expect((await sidecar.release('job')).status).toBe(200);
});

let partial = '';

/** All whole lines that a pipe has in it now. */
function readAll(pipe: number): string {
  const buffer = Buffer.alloc(65_536);
  try {
    for (;;) partial += buffer.toString('utf8', 0, readSync(pipe, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  const end = partial.lastIndexOf('\n') + 1;
  const whole = partial.slice(0, end);
  partial = partial.slice(end);
  return whole;
}

test('the pretty log shows no control characters of what apps say', async () => {
  const sidecar = Sidecar.spawn({ environment: { UPDATE_LOCK_LOG_FORMAT: 'pretty' } });
  await until(() => sidecar.output.includes(' ready '));
  await sidecar.put('job', { reason: 'a\u001b[2Jb\u009b31mc\u007fd\u202ee\u2066f\u200fg\u2028h\u0085i' });
  await until(() => sidecar.output.includes('name="job"'));
  expect(sidecar.output).toMatch(/reason="a\\u001b\[2Jb\uFFFD31mc\uFFFDd\uFFFDe\uFFFDf\uFFFDg\uFFFDh\uFFFDi"/);
  // eslint-disable-next-line no-control-regex
  expect(sidecar.output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
});
