/** What balena makes of a compose file: https://docs.balena.io/reference/supervisor/docker-compose/ */

/* eslint-disable @typescript-eslint/no-explicit-any */
type Mapping = Record<string, any>;

const SERVICE_FIELDS = new Set(
  `build cap_add cap_drop cgroup_parent command cpu_shares cpu_quota cpus cpuset devices depends_on dns dns_opt dns_search domainname
  entrypoint environment expose extra_hosts group_add healthcheck hostname image ipc labels mac_address mem_limit mem_reservation
  network_mode networks oom_kill_disable oom_score_adj pid pids_limit ports privileged read_only restart security_opt shm_size
  stop_grace_period stop_signal sysctls tmpfs ulimits user userns_mode volumes working_dir`.split(/\s+/),
);
const BUILD_FIELDS = new Set(['context', 'dockerfile', 'args', 'cache_from', 'extra_hosts', 'labels', 'shm_size', 'target']);
const TOP_FIELDS = new Set(['version', 'services', 'volumes', 'networks']);

/** Labels that mean something to a device: of those that begin like them, no others. */
const LABELS = new Set([
  ...['balena-socket', 'dbus', 'sysfs', 'procfs', 'kernel-modules', 'firmware', 'journal-logs', 'supervisor-api', 'balena-api'].map(
    (name) => `io.balena.features.${name}`,
  ),
  'io.balena.update.strategy',
  'io.balena.update.handover-timeout',
]);

/** Everything in a compose file that a device would not take, or would silently do without. `text` is the file as it is. */
export function balenaMistakes(text: string, compose: Mapping): string[] {
  const volumes = Object.keys((compose['volumes'] ?? {}) as Mapping);
  return [
    ...unknown('field', Object.keys(compose), TOP_FIELDS),
    ...(/\$\{?\w/.test(text.replaceAll('$$', '')) ? ['variables are not replaced'] : []),
    ...(/^2(\.[0-4])?$/.test(String(compose['version'] ?? '2')) ? [] : [`version ${String(compose['version'])} is not 2.4 or below`]),
    ...Object.entries(compose['services'] as Mapping).flatMap(([name, service]) =>
      serviceMistakes(service as Mapping, volumes).map((mistake) => `${name}: ${mistake}`),
    ),
  ];
}

function serviceMistakes(service: Mapping, volumes: readonly string[]): string[] {
  const build = (typeof service['build'] === 'string' ? { context: service['build'] } : (service['build'] ?? {})) as Mapping;
  return [
    ...unknown('field', Object.keys(service), SERVICE_FIELDS),
    ...unknown('field of build', Object.keys(build), BUILD_FIELDS),
    ...(isInside(String(build['context'] ?? '.')) ? [] : [`builds from ${String(build['context'])}, which is not in the project`]),
    ...(Array.isArray(service['depends_on'] ?? []) ? [] : ['depends_on is not a list']),
    ...((service['volumes'] ?? []) as unknown[]).flatMap((volume) => volumeMistakes(volume, volumes)),
    ...labelMistakes(service['labels'] ?? {}),
  ];
}

function volumeMistakes(volume: unknown, declared: readonly string[]): string[] {
  if (typeof volume !== 'string') return ['a volume is not in the short syntax'];
  const [name = '', path = ''] = volume.split(':');
  if (/^[./~]/.test(name)) return [`${volume} is a bind mount`];
  if (!path.startsWith('/')) return [`${volume} has no absolute path`];
  return declared.includes(name) ? [] : [`${name} is not among the volumes`];
}

function labelMistakes(labels: Mapping | string[]): string[] {
  const entries = Array.isArray(labels) ? labels.map((label) => label.split('=')) : Object.entries(labels);
  return [
    ...unknown('label', entries.map(([name]) => String(name)).filter((name) => /^io\.(balena|resin)\./.test(name)), LABELS),
    ...entries.filter(([, value]) => typeof value !== 'string').map(([name]) => `the value of the label ${String(name)} is not text`),
  ];
}

function unknown(what: string, names: readonly string[], known: ReadonlySet<string>): string[] {
  return names.filter((name) => !known.has(name)).map((name) => `${what} ${name}`);
}

function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.includes('://') && !path.split('/').includes('..');
}
