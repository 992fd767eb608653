import { join } from 'node:path';
import { ADMIN_TOKEN, Coordinator } from '../support/coordinator';
import { FUZZ_SEED, fuzzRuns, fuzzTimeoutMs } from '../support/fuzz';
import { Sidecar } from '../support/sidecar';
import { pythonTool, run } from './tools';

afterAll(async () => {
  await Promise.all([Sidecar.cleanUp(), Coordinator.cleanUp()]);
});

/** Answers of these last as long as the client wants. */
const ENDLESS = ['streamEvents', 'holdLease', 'getUpdate'];

async function schemathesis(folder: string, url: string, leftOut: readonly string[] = []): Promise<string> {
  return run(folder, pythonTool('schemathesis'), [
    '--config-file', join(__dirname, 'schemathesis.toml'),
    'run', `${url}/openapi.json`,
    '--header', `Authorization: Bearer ${ADMIN_TOKEN}`,
    '--seed', String(FUZZ_SEED),
    '--max-examples', String(fuzzRuns(10)),
    '--continue-on-failure',
    '--no-color',
    ...leftOut.flatMap((id) => ['--exclude-operation-id', id]),
  ]);
}

test(`the sidecar is as its OpenAPI document says, whatever schemathesis sends (seed ${String(FUZZ_SEED)})`, async () => {
  const sidecar = await Sidecar.start({ environment: { UPDATE_LOCK_PORT: '0', UPDATE_LOCK_API_TOKEN: 'api', UPDATE_LOCK_ADMIN_TOKEN: ADMIN_TOKEN } });
  const { port } = sidecar.tcpTarget as { port: number };
  expect(await schemathesis(sidecar.folder, `http://127.0.0.1:${String(port)}`, ENDLESS)).toMatch(/Tested: 17/);
  expect(await sidecar.wholeOutput()).not.toContain('internal error');
}, fuzzTimeoutMs(120_000));

test(`the coordinator is as its OpenAPI document says, whatever schemathesis sends (seed ${String(FUZZ_SEED)})`, async () => {
  const coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=1; *=1' });
  expect(await schemathesis(coordinator.folder, coordinator.url.origin)).toMatch(/Tested: 10/);
  expect(coordinator.output).not.toContain('internal error');
}, fuzzTimeoutMs(120_000));
