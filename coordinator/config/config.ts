import { from } from 'env-var';
import { readFileSync } from 'node:fs';
import { FORMS, readDuration, type Environment } from '../../server/settings/forms';
import { SettingsReader } from '../../server/settings/settings-reader';
import { messageOf } from '../../server/text';
import { readDeviceTokens, type Tokens } from './device-tokens';
import { parseNewGroups, type NewGroups } from './new-groups';

export interface EtcdSettings {
  /** `http://a:2379`, one or more. */
  readonly endpoints: readonly string[];
  readonly prefix: string;
  /** In PEM; null for what the system trusts. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly user: string | null;
  readonly password: string | null;
}

export type StoreSettings = { readonly kind: 'file'; readonly folder: string } | ({ readonly kind: 'etcd' } & EtcdSettings);

/** What devices have to send: nothing, one token that all share, or each its own. */
export type DeviceTokens = { readonly kind: 'none' } | { readonly kind: 'shared'; readonly token: string } | { readonly kind: 'own'; readonly path: string; readonly tokens: Tokens };

/** Every setting, parsed: nothing else reads the environment. Lengths of time are in milliseconds. */
export interface Config {
  readonly store: StoreSettings;
  readonly newGroups: NewGroups;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** In PEM; null for plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly deviceTokens: DeviceTokens;
  readonly adminToken: string | null;
  readonly staleAfterMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: 'json' | 'pretty';
  /** Settings that are probably not as they were meant, in words. */
  readonly warnings: readonly string[];
}

export type ConfigResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly mistakes: readonly string[] };

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
const DEFAULT_FOLDER = '/var/lib/update-lock-coordinator';

const OWN_FORMS = {
  ...FORMS,
  asStore: (value: string): { readonly folder: string } | { readonly endpoints: readonly string[] } => {
    const [, folder, scheme, addresses] = /^(?:file:(\/.*)|etcd:(https?):\/\/(.+))$/.exec(value) ?? [];
    if (folder !== undefined) return { folder };
    const urls = (addresses ?? '').split(',').map((address) => `${scheme ?? ''}://${address.trim().replace(/^https?:\/\//, '')}`);
    if (addresses === undefined || !urls.every((url) => URL.canParse(url) && new URL(url).origin === url.replace(/\/$/, '').toLowerCase())) {
      throw new Error('is not a store; file:/FOLDER, or etcd:http://HOST:PORT,HOST:PORT or the same with https, is allowed');
    }
    return { endpoints: urls.map((url) => new URL(url).origin) };
  },
  asNewGroups: parseNewGroups,
  asStaleAfter: (value: string): number => readDuration(value, 'a time', 1000, 365 * 86_400_000),
};

/** Reads every setting and reports all mistakes at once. An empty variable counts as unset, an empty token as a mistake. */
export function readConfig(environment: Environment, isTerminal: boolean): ConfigResult {
  const variables = from(environment, OWN_FORMS);
  const reader = new SettingsReader(environment, (name) => variables.get(name));
  const file = (name: string): string | null => readFileOf(reader, name, reader.read(name, (v) => v.asPath(), null));
  const store = reader.read('COORDINATOR_STORE', (v) => v.asStore(), { folder: DEFAULT_FOLDER });
  const etcd = {
    prefix: reader.read('COORDINATOR_ETCD_PREFIX', (v) => v.asString(), 'update-lock/'),
    ca: file('COORDINATOR_ETCD_CA'),
    cert: file('COORDINATOR_ETCD_CERT'),
    key: file('COORDINATOR_ETCD_KEY'),
    user: reader.read('COORDINATOR_ETCD_USER', (v) => v.asString(), null),
    password: reader.readToken('COORDINATOR_ETCD_PASSWORD'),
  };
  const adminToken = reader.readToken('COORDINATOR_ADMIN_TOKEN');
  const tls = { cert: file('COORDINATOR_TLS_CERT'), key: file('COORDINATOR_TLS_KEY') };
  const config: Config = {
    store: 'folder' in store ? { kind: 'file', folder: store.folder } : { kind: 'etcd', endpoints: store.endpoints, ...etcd },
    newGroups: reader.read('COORDINATOR_GROUPS', (v) => v.asNewGroups(), { slots: new Map([['default', 1]]), slotsOfAny: null }),
    host: reader.read('COORDINATOR_HOST', (v) => v.asHost(), '0.0.0.0'),
    port: reader.read('COORDINATOR_PORT', (v) => v.asPort(), 8081),
    tls: tls.cert === null || tls.key === null ? null : { cert: tls.cert, key: tls.key },
    deviceTokens: deviceTokensOf(reader, reader.read('COORDINATOR_DEVICE_TOKEN_FILE', (v) => v.asPath(), null), adminToken),
    adminToken,
    staleAfterMs: reader.read('COORDINATOR_STALE_AFTER', (v) => v.asStaleAfter(), 24 * 3_600_000),
    logLevel: reader.read('COORDINATOR_LOG_LEVEL', (v) => v.asEnum(LOG_LEVELS), 'info'),
    logFormat: reader.read('COORDINATOR_LOG_FORMAT', (v) => v.asEnum(['json', 'pretty']), isTerminal ? 'pretty' : 'json'),
    warnings: reader.warnings,
  };
  reader.warnOfUnknown('COORDINATOR_');
  const pairs = [['COORDINATOR_TLS_CERT', 'COORDINATOR_TLS_KEY'], ['COORDINATOR_ETCD_CERT', 'COORDINATOR_ETCD_KEY'], ['COORDINATOR_ETCD_USER', 'COORDINATOR_ETCD_PASSWORD']] as const;
  const halves = pairs.flatMap(([one, other]) => (reader.isSet(one) === reader.isSet(other) ? [] : [`${one} and ${other}: only one of them is set; both are needed`]));
  const { deviceTokens: devices } = config;
  if (devices.kind === 'shared' && devices.token === adminToken) halves.push('COORDINATOR_ADMIN_TOKEN: its value is also the token of a device, which could then release others; another token is allowed');
  const mistakes = [...reader.mistakes, ...halves];
  return mistakes.length === 0 ? { ok: true, config } : { ok: false, mistakes };
}

type Reader = Pick<SettingsReader<unknown>, 'mistakes' | 'wrongNames' | 'isSet' | 'readToken'>;

function deviceTokensOf(reader: Reader, path: string | null, adminToken: string | null): DeviceTokens {
  const token = reader.readToken('COORDINATOR_DEVICE_TOKEN');
  if (path === null) return token === null ? { kind: 'none' } : { kind: 'shared', token };
  if (token !== null) reader.mistakes.push('COORDINATOR_DEVICE_TOKEN and COORDINATOR_DEVICE_TOKEN_FILE: both are set; one of them is allowed');
  const read = readDeviceTokens(path, adminToken);
  if (!read.ok) reader.mistakes.push(...read.mistakes.map((mistake) => `COORDINATOR_DEVICE_TOKEN_FILE: ${mistake}`));
  return { kind: 'own', path, tokens: read.ok ? read.tokens : new Map() };
}

function readFileOf(reader: Reader, name: string, path: string | null): string | null {
  if (path === null) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    reader.mistakes.push(`${name}: ${JSON.stringify(path)} cannot be read: ${messageOf(error)}`);
    return null;
  }
}
