/** The commit of the release that the device is to have, or why it is not known. */
export type Target = { readonly ok: true; readonly commit: string } | { readonly ok: false; readonly problem: string };

/** A commit in an answer of the Supervisor; null for anything else. In local mode it is `localrelease`. */
export function readCommit(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.-]{1,100}$/.test(value) ? value : null;
}

/**
 * The commit of the release that our app is to have, of an answer of `GET /v2/applications/state` (balena-supervisor
 * `src/device-api/v2.ts`, from 7.12 on), which has an object for each app, by its name. Null if it does not say.
 * @param appId of our app; null if that is not known: then there must be only one
 */
export function parseTargetCommit(json: unknown, appId: string | null): string | null {
  if (typeof json !== 'object' || json === null) return null;
  const apps = Object.values(json).filter((app): app is Record<string, unknown> => typeof app === 'object' && app !== null);
  const ours = appId === null ? apps : apps.filter((app) => String(app['appId']) === appId);
  return ours.length === 1 ? readCommit(ours[0]?.['commit']) : null;
}
