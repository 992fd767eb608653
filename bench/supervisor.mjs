// As much of a Supervisor as it takes to be asked: an update always waits, and every request is noted with its time.
import { createServer } from 'node:http';

export async function startSupervisor() {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method, path: request.url, atMs: performance.now() });
    request.resume();
    if (request.method === 'POST') response.writeHead(204).end();
    else response.end(JSON.stringify({ update_pending: true, update_failed: true, update_downloaded: true, status: 'Idle' }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    environment: { BALENA_SUPERVISOR_ADDRESS: `http://127.0.0.1:${server.address().port}`, BALENA_SUPERVISOR_API_KEY: 'key' },
    close: () => server.close(),
  };
}
