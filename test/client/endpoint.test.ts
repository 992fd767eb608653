import { existsSync } from 'node:fs';
import { DEFAULT_SOCKET, findEndpoint, findToken, parseEndpoint } from '../../client/src/endpoint';

afterEach(() => {
  delete process.env['UPDATE_LOCK_URL'];
  delete process.env['UPDATE_LOCK_TOKEN'];
});

test.each([
  ['http://update-lock:8080', { url: 'http://update-lock:8080', target: { host: 'update-lock', port: 8080 }, isSecure: false }],
  ['http://update-lock', { url: 'http://update-lock', target: { host: 'update-lock', port: 80 }, isSecure: false }],
  ['http://10.0.0.1:8080/', { url: 'http://10.0.0.1:8080', target: { host: '10.0.0.1', port: 8080 }, isSecure: false }],
  ['http://[fd00::1]:8080', { url: 'http://[fd00::1]:8080', target: { host: 'fd00::1', port: 8080 }, isSecure: false }],
  ['https://update-lock', { url: 'https://update-lock', target: { host: 'update-lock', port: 443 }, isSecure: true }],
  ['https://[fd00::1]:8443', { url: 'https://[fd00::1]:8443', target: { host: 'fd00::1', port: 8443 }, isSecure: true }],
  ['unix:/run/x.sock', { url: 'unix:/run/x.sock', target: { socketPath: '/run/x.sock' }, isSecure: false }],
  ['unix:///run/x.sock', { url: 'unix:/run/x.sock', target: { socketPath: '/run/x.sock' }, isSecure: false }],
])('%s is where it says', (url, endpoint) => {
  expect(parseEndpoint(url, 'url')).toEqual(endpoint);
});

test('what is given comes before the environment, and that before the default', () => {
  expect(findEndpoint().url).toBe(existsSync(DEFAULT_SOCKET) ? `unix:${DEFAULT_SOCKET}` : 'http://update-lock:8080');
  process.env['UPDATE_LOCK_URL'] = 'http://from-the-environment';
  expect(findEndpoint().url).toBe('http://from-the-environment');
  expect(findEndpoint('http://given').url).toBe('http://given');
});

test('so it is with the token', () => {
  expect(findToken()).toBeUndefined();
  process.env['UPDATE_LOCK_TOKEN'] = 'from the environment';
  expect([findToken(), findToken('given'), findToken('')]).toEqual(['from the environment', 'given', undefined]);
});
