import { route, type Route } from '../../../server/http/route';
import { noParameters } from '../schemas';

/** The texts of the clients, which the build puts here; see scripts/build.mjs. */
declare const __CLIENT_SH__: string;
declare const __CLIENT_PY__: string;

/** Each in a function of its own, which the engine reads only when somebody asks: not before, and seldom at all. */
const CLIENTS = [
  { path: '/client.sh', operationId: 'getShellClient', what: 'The client for shells, in one file: POSIX sh and curl.', text: () => __CLIENT_SH__ },
  { path: '/client.py', operationId: 'getPythonClient', what: 'The client for Python 3.8 and later, in one file.', text: () => __CLIENT_PY__ },
];

/** The clients to download, as they are of this version: `curl -o update-lock http://update-lock:8080/client.sh`. */
export const clientRoutes: readonly Route[] = CLIENTS.map(({ path, operationId, what, text }) =>
  route({
    method: 'get',
    path,
    operationId,
    summary: what,
    parameters: noParameters,
    answers: { 200: { description: 'The file.', contentType: 'text/plain' } },
    handle: (call) => {
      call.text(200, 'text/plain; charset=utf-8', text());
    },
  }),
);
