import { existsSync } from 'node:fs';
import { Sidecar } from '../support/sidecar';
import { until } from '../support/until';
import { expectWholeProblem } from './expectations';
import { RawConnection, type RawAnswer } from './raw';

afterAll(() => Sidecar.cleanUp());

/** What a request is answered whose body comes only after the stop has begun. */
async function answerWhileStopping(sidecar: Sidecar, method: string, path: string): Promise<RawAnswer> {
  const connection = new RawConnection(sidecar.target);
  connection.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n`);
  await connection.first(1);
  sidecar.process.kill('SIGTERM');
  await until(() => !existsSync(sidecar.socketPath));
  connection.write('{}');
  const [, answer] = await connection.answers();
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

test.each([
  ['PUT', '/v1/leases/new'],
  ['PUT', '/v1/leases/live'],
  ['POST', '/v1/leases/new/hold'],
  ['DELETE', '/v1/leases/live'],
])('%s %s is refused while the sidecar stops, and the live leases are left as they are', async (method, path) => {
  const sidecar = await Sidecar.start();
  await sidecar.put('live');
  const answer = await answerWhileStopping(sidecar, method, path);
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  expect([answer.status, body['code']]).toEqual([503, 'stopping']);
  expectWholeProblem(answer.status, answer.headers, body);
  expect(await sidecar.exited()).toBe(0);
  const next = await sidecar.startAgain();
  expect((await next.send('GET', '/v1/leases')).body.leases).toMatchObject([{ name: 'live', renewals: 0 }]);
});

test('DELETE of a lease that is not there is 204 even then', async () => {
  expect((await answerWhileStopping(await Sidecar.start(), 'DELETE', '/v1/leases/nobody')).status).toBe(204);
});
