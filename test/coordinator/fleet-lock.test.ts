import { connect } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Coordinator } from '../support/coordinator';

/**
 * FleetLock v1 on the wire: requests as zincati sends them (`src/fleet_lock/mod.rs`: indented JSON without a Content-Type), answers as
 * airlock gives them (`internal/server/`, `internal/herrors/`: an empty 200, or an object with `kind` and `value`).
 */
let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = await Coordinator.start({ COORDINATOR_GROUPS: 'default=1; paused=1; none=0; two=2' });
  await coordinator.admin('PUT', '/v1/groups/paused', { paused: true });
});
afterAll(() => Coordinator.cleanUp());

/** Sends these bytes, and returns all that comes back. */
async function exchangeBytes(request: string): Promise<string> {
  const socket = connect(Number(coordinator.url.port), '127.0.0.1');
  await once(socket, 'connect');
  socket.end(request);
  return text(socket);
}

function zincatiRequest(path: string, id: string, group: string): string {
  const body = JSON.stringify({ client_params: { id, group } }, null, 2);
  return [
    `POST ${path} HTTP/1.1`,
    'fleet-lock-protocol: true',
    'accept: */*',
    `host: 127.0.0.1:${coordinator.url.port}`,
    `content-length: ${String(body.length)}`,
    '',
    body,
  ].join('\r\n');
}

function parse(answer: string): { status: string; headers: string[]; body: string } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [status = '', ...headers] = head.split('\r\n');
  return { status, headers: headers.map((each) => each.toLowerCase()), body };
}

test('zincati gets its turn, again if it asks again, and gives it back, twice if it likes', async () => {
  for (const path of ['/v1/pre-reboot', '/v1/pre-reboot', '/v1/steady-state', '/v1/steady-state']) {
    const { status, headers, body } = parse(await exchangeBytes(zincatiRequest(path, '93c6e8dbb1e94fd4a5d9d4a5a4e2c9ad', 'default')));
    expect([status, body]).toEqual(['HTTP/1.1 200 OK', '']);
    expect(headers).toContain('content-length: 0');
  }
});

test.each([
  ['a full group', 'none', 'HTTP/1.1 423 Locked', 'all_slots_full', 'as many devices as may update at once have their turn'],
  ['a paused group', 'paused', 'HTTP/1.1 423 Locked', 'paused', 'the group is paused'],
  ['an unknown group', 'nowhere', 'HTTP/1.1 404 Not Found', 'unknown_group', 'there is no group "nowhere"'],
])('%s is an error with a kind and a value', async (_, group, statusLine, kind, value) => {
  const { status, headers, body } = parse(await exchangeBytes(zincatiRequest('/v1/pre-reboot', 'zincati', group)));
  expect(status).toBe(statusLine);
  expect(body).toBe(`${JSON.stringify({ kind, value })}\n`);
  expect(headers).toContain('content-type: application/json; charset=utf-8');
  if (statusLine.includes('423')) expect(headers).toContain('retry-after: 10');
});

test('giving back in an unknown group is an error, too', async () => {
  const { status, body } = parse(await exchangeBytes(zincatiRequest('/v1/steady-state', 'zincati', 'nowhere')));
  expect([status, JSON.parse(body)]).toEqual(['HTTP/1.1 404 Not Found', { kind: 'unknown_group', value: 'there is no group "nowhere"' }]);
});

const HEADERS = { 'fleet-lock-protocol': 'true' };

test.each([
  ['without the header of the protocol', { json: { client_params: { id: 'a', group: 'default' } } }],
  ['with another value in it', { json: { client_params: { id: 'a', group: 'default' } }, headers: { 'fleet-lock-protocol': '1' } }],
  ['without a body', { headers: HEADERS }],
  ['with one that is not JSON', { raw: '{', headers: HEADERS }],
  ['with one that is not an object', { raw: '[]', headers: HEADERS }],
  ['with one that is too long', { raw: JSON.stringify({ client_params: { id: 'a', group: 'default', more: 'x'.repeat(20_000) } }), headers: HEADERS }],
  ['without client_params', { json: {}, headers: HEADERS }],
  ['without an id', { json: { client_params: { group: 'default' } }, headers: HEADERS }],
  ['with an empty id', { json: { client_params: { id: '', group: 'default' } }, headers: HEADERS }],
  ['with an id that is too long', { json: { client_params: { id: 'x'.repeat(129), group: 'default' } }, headers: HEADERS }],
  ['with an id that is not visible', { json: { client_params: { id: 'a\u202eb', group: 'default' } }, headers: HEADERS }],
  ['without a group', { json: { client_params: { id: 'a' } }, headers: HEADERS }],
  ['with a group that is none', { json: { client_params: { id: 'a', group: '../default' } }, headers: HEADERS }],
  ['with an instance that is too long', { json: { client_params: { id: 'a', group: 'default' } }, headers: { ...HEADERS, 'Update-Lock-Instance': 'x'.repeat(129) } }],
])('a request %s is a bad_request', async (_, options) => {
  for (const path of ['/v1/pre-reboot', '/v1/steady-state']) {
    const { status, body } = await coordinator.send('POST', path, options);
    expect([status, body.kind]).toEqual([400, 'bad_request']);
  }
  expect(await coordinator.holders()).toEqual([]);
});

const SHAPE = 'the body has to be {"client_params": {"id": "...", "group": "..."}}';

test.each([
  ['no body', {}, `client_params: is missing; ${SHAPE}.`],
  ['a flat one', { json: { id: 'a', group: 'default' } }, `client_params: is missing; ${SHAPE}.`],
  ['text for an object', { json: { client_params: 'a' } }, `client_params: "a" is not an object; ${SHAPE}.`],
  ['neither id nor group', { json: { client_params: {} } }, `client_params.id: is missing; ${SHAPE}; client_params.group: is missing; ${SHAPE}.`],
  ['a number for an id', { json: { client_params: { id: 7, group: 'default' } } }, `client_params.id: 7 is not text; ${SHAPE}.`],
])('with %s it is told what is missing, and what the body has to be', async (_, options, value) => {
  expect((await coordinator.send('POST', '/v1/pre-reboot', { ...options, headers: HEADERS })).body).toEqual({ kind: 'bad_request', value });
});

test('members that the protocol does not have are left out, as airlock does', async () => {
  const json = { client_params: { id: 'later', group: 'two', colour: 'red' }, more: true };
  expect((await coordinator.send('POST', '/v1/pre-reboot', { json, headers: HEADERS })).status).toBe(200);
  expect(await coordinator.holders('two')).toEqual(['later']);
});

test('a page of another site cannot take a turn', async () => {
  const json = { client_params: { id: 'a', group: 'two' } };
  const { status, body } = await coordinator.send('POST', '/v1/pre-reboot', { json, headers: { ...HEADERS, Origin: 'https://elsewhere.example' } });
  expect([status, body.kind]).toEqual([403, 'forbidden']);
});

test('a group and a turn that are not there are named in quotes', async () => {
  expect((await coordinator.send('GET', '/v1/groups/line-3')).body).toMatchObject({ code: 'not-found', detail: 'There is no group "line-3".' });
  expect((await coordinator.admin('DELETE', '/v1/groups/line-3/holders/a')).body).toMatchObject({ code: 'not-found', detail: '"a" has no turn in "line-3".' });
});

test('other methods are not for these paths', async () => {
  const { status, body } = await coordinator.send('GET', '/v1/pre-reboot');
  expect([status, body.detail]).toEqual([405, 'GET is not for this path; POST is.']);
});
