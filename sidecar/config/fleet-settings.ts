import { readFileSync } from 'node:fs';
import { messageOf } from '../../server/text';
import type { Environment } from '../../server/settings/forms';
import type { FleetSettings } from '../holders/fleet/fleet-phase';
import type { sidecarSettings } from './forms';

/** The fleet in which devices take turns, and how its server is asked. */
export interface FleetConfig extends FleetSettings {
  readonly token: string | null;
  /** Has to answer with 2xx before a turn is given back; null for none. */
  readonly healthUrl: string | null;
  /** Certificates to trust beside the system's, in PEM; null for none. */
  readonly ca: string | null;
}

/** Null without `UPDATE_LOCK_FLEET_URL`. The other settings are checked all the same. */
export function readFleet(reader: ReturnType<typeof sidecarSettings>, environment: Environment): FleetConfig | null {
  const url = reader.read('UPDATE_LOCK_FLEET_URL', (v) => v.asFleetUrl(), null);
  const group = reader.read('UPDATE_LOCK_FLEET_GROUP', (v) => v.asFleetGroup(), 'default');
  const uuid = environment['BALENA_DEVICE_UUID'] ?? '';
  const id = reader.read('UPDATE_LOCK_FLEET_ID', (v) => v.asFleetId(), uuid);
  const fleet = {
    token: reader.readToken('UPDATE_LOCK_FLEET_TOKEN'),
    settleMs: reader.read('UPDATE_LOCK_FLEET_SETTLE', (v) => v.asDuration(), 300_000),
    healthUrl: reader.read('UPDATE_LOCK_FLEET_HEALTH', (v) => v.asWebUrl(), null),
    maxWaitMs: reader.readUnlessOff('UPDATE_LOCK_FLEET_MAX_WAIT', (v) => v.asDurationOrOff(), null),
    ca: reader.read('UPDATE_LOCK_FLEET_CA', (v) => readCertificates(v.asPath() ?? ''), null),
  };
  if (url === null) return null;
  if (id === '' && !reader.wrongNames.has('UPDATE_LOCK_FLEET_ID')) {
    reader.mistakes.push('UPDATE_LOCK_FLEET_ID is not set, and neither is BALENA_DEVICE_UUID: a device of a fleet needs an id of its own');
  }
  return { ...fleet, names: { url, group, id } };
}

function readCertificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('has no certificate in it; a file with certificates in PEM is allowed');
  return text;
}
