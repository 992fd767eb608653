import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { Sidecar } from '../support/sidecar';

afterEach(() => Sidecar.cleanUp());

test('after a hold has ended, a client that keeps its connections for the next request can send one', async () => {
  const sidecar = await Sidecar.start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sendOver = async (method: string, path: string): Promise<IncomingMessage> => {
    const sent = request({ ...sidecar.target, method, path, agent });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  };
  for (let round = 0; round < 5; round += 1) {
    const hold = await sendOver('POST', '/v1/leases/job/hold');
    expect([hold.statusCode, hold.headers.connection]).toEqual([200, 'close']);
    const ended = once(hold.resume(), 'end');
    await sidecar.release('job');
    await ended;
    const next = await sendOver('GET', '/v1/leases');
    expect(next.statusCode).toBe(200);
    next.resume();
    await once(next, 'end');
  }
  agent.destroy();
});
