import { request, type IncomingMessage } from 'node:http';
import { messageOf } from '../../server/text';
import { parseContainers, parseReading, parseStateStatus, type Container, type Reading } from './reading';
import { parseTargetCommit, type Target } from './target';

/** How long a reading may take, in milliseconds: a Supervisor that is busy with images on a small device is slow. */
const READING_TIMEOUT_MS = 10_000;

/** Asking for an update, or for tags, takes longer: the Supervisor asks the cloud before it answers. */
const CLOUD_TIMEOUT_MS = 30_000;

/** More than any answer of the Supervisor has, in bytes. */
const MAX_ANSWER_BYTES = 65_536;

/** The same for the tags of the device, of which people may make as many as they like. */
const MAX_TAGS_BYTES = 1024 * 1024;

/** Of a Supervisor without `GET /v2/state/status`. */
const NOTHING_MORE = { downloading: false, runs: null } as const;

export interface SupervisorAddress {
  /** `http://host:port`. */
  readonly url: string;
  readonly apiKey: string;
  /** Whether Helios answers, without a Supervisor behind it. */
  readonly isHeliosAlone: boolean;
}

export type ReadingResult =
  /** `reading` is null where Helios is alone: it takes requests for updates, but does not tell whether one waits. */
  | { readonly ok: true; readonly reading: Reading | null }
  | { readonly ok: false; readonly problem: string };

export type UpdateResult =
  | { readonly ok: true; readonly status: 202 | 204 }
  | { readonly ok: false; readonly problem: string };

export type JournalResult = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

export type TagResult =
  | { readonly ok: true }
  /** `isUnknown`: a Supervisor before 17.8 knows no tags. */
  | { readonly ok: false; readonly isUnknown: boolean; readonly problem: string };

export interface DeviceTag {
  readonly name: string;
  readonly value: string;
}

export type TagsResult =
  | { readonly ok: true; readonly tags: readonly DeviceTag[] }
  /** `isUnknown`: a Supervisor before 9.11 does not tell them. */
  | { readonly ok: false; readonly isUnknown: boolean; readonly problem: string };

/**
 * The Supervisor's API (balena-supervisor `docs/API.md`). The key goes in a header, where no log shows it. What goes wrong
 * is a result, in words for people; nothing here throws.
 */
export class SupervisorApi {
  /** Whether there is a `GET /v2/state/status`: an old Supervisor has none, and one that stands in for it may not either. */
  #stateStatus: 'unknown' | 'there' | 'missing' = 'unknown';

  constructor(private readonly address: SupervisorAddress) {}

  /** `GET /v1/device`; where it says that an update is pending, `GET /v2/state/status` tells whether that is downloaded yet. */
  async read(): Promise<ReadingResult> {
    const answer = await this.#send('GET', '/v1/device', null, READING_TIMEOUT_MS);
    if (typeof answer === 'string') return { ok: false, problem: answer };
    // balena-io/helios `helios-api/src/lib.rs` has no such route.
    if (answer.status === 404 && this.address.isHeliosAlone) return { ok: true, reading: null };
    if (answer.status !== 200) return { ok: false, problem: explainStatus(answer.status) };
    const reading = parseReading(parseJson(answer.body));
    if (reading === null) return { ok: false, problem: 'its answer is not that of a Supervisor' };
    if (!reading.pending || reading.downloading) return { ok: true, reading };
    const more = await this.#readStateStatus();
    if (typeof more === 'string') return { ok: false, problem: more };
    return { ok: true, reading: { ...reading, downloading: more.downloading, runs: reading.runs ?? more.runs } };
  }

  /**
   * No download also if it never tells. One that has told and now does not is busy, most likely with a download, which must not be
   * taken for none: then what is wrong.
   */
  async #readStateStatus(): Promise<ReturnType<typeof parseStateStatus> | string> {
    if (this.#stateStatus === 'missing') return NOTHING_MORE;
    const answer = await this.#send('GET', '/v2/state/status', null, READING_TIMEOUT_MS);
    if (typeof answer !== 'string' && answer.status === 200) {
      this.#stateStatus = 'there';
      return parseStateStatus(parseJson(answer.body));
    }
    if (typeof answer !== 'string' && answer.status === 404) this.#stateStatus = 'missing';
    if (this.#stateStatus !== 'there') return NOTHING_MORE;
    return typeof answer === 'string' ? answer : explainStatus(answer.status);
  }

  /**
   * `appState` of `GET /v2/state/status`: whether the Supervisor is applying its target. Right after its start it is, while `GET /v1/device`
   * says that nothing is pending, since it has not compared the containers with the target yet (balena-supervisor
   * `src/device-state/index.ts`). True while it does not answer, false if it never tells.
   */
  async isApplying(): Promise<boolean> {
    const answer = await this.#send('GET', '/v2/state/status', null, READING_TIMEOUT_MS);
    if (typeof answer === 'string') return true;
    if (answer.status !== 200) return answer.status !== 404;
    return (Object(parseJson(answer.body)) as Record<string, unknown>)['appState'] === 'applying';
  }

  /** `GET /v2/applications/state`, from 7.12 on: the commit of the release that the device is to have. */
  async readTarget(appId: string | null): Promise<Target> {
    const answer = await this.#send('GET', '/v2/applications/state', null, READING_TIMEOUT_MS);
    if (typeof answer === 'string') return { ok: false, problem: answer };
    const { status, body } = answer;
    if (status === 404) return { ok: false, problem: 'the release that the device is to have is only named by Supervisor 7.12 or later' };
    if (status !== 200) return { ok: false, problem: explainStatus(status) };
    const commit = parseTargetCommit(parseJson(body), appId);
    return commit === null ? { ok: false, problem: 'its answer names no release of this app' } : { ok: true, commit };
  }

  /**
   * `POST /v1/update`: try now. `cancel` ends the wait after a failed attempt, which Supervisors from 17.5 on would
   * otherwise finish first, but also a download in progress.
   */
  async update({ force, cancel }: { readonly force: boolean; readonly cancel: boolean }): Promise<UpdateResult> {
    const answer = await this.#send('POST', '/v1/update', JSON.stringify({ force, cancel }), CLOUD_TIMEOUT_MS);
    if (typeof answer === 'string') return { ok: false, problem: answer };
    const { status } = answer;
    return status === 204 || status === 202 ? { ok: true, status } : { ok: false, problem: explainStatus(status) };
  }

  /** `GET /v2/state/status`: the states of the containers of an app, or of all apps; what is wrong if they cannot be had. */
  async readContainers(appId: string | null): Promise<readonly Container[] | string> {
    const answer = await this.#send('GET', '/v2/state/status', null, READING_TIMEOUT_MS);
    if (typeof answer === 'string') return answer;
    if (answer.status !== 200) return explainStatus(answer.status);
    const containers = parseContainers(parseJson(answer.body));
    return containers?.filter((each) => appId === null || each.appId === appId) ?? 'its answer tells of no containers';
  }

  /**
   * `POST /v2/journal-logs`, from 10.2 on: the last line that `safe_reboot` has written into the host's journal, as `journalctl` prints
   * it. It starts a process on the device. With `since`, the journalctl of systemd 252 would print the first line after that time.
   */
  async readJournal(): Promise<JournalResult> {
    const what = JSON.stringify({ containerId: 'safe_reboot', count: 1, format: 'short-unix' });
    const answer = await this.#send('POST', '/v2/journal-logs', what, READING_TIMEOUT_MS);
    if (typeof answer === 'string') return { ok: false, problem: answer };
    const { status, body } = answer;
    if (status === 404) return { ok: false, problem: "the host's journal needs Supervisor 10.2 or later" };
    return status === 200 ? { ok: true, text: body } : { ok: false, problem: explainStatus(status) };
  }

  /** `PATCH /v2/device/tags`, from 17.8 on: the Supervisor sends the tag to the cloud when it can. */
  async writeTag(name: string, value: string): Promise<TagResult> {
    const answer = await this.#send('PATCH', '/v2/device/tags', JSON.stringify({ [name]: value }), READING_TIMEOUT_MS);
    if (typeof answer === 'string') return { ok: false, isUnknown: false, problem: answer };
    const { status } = answer;
    if (status === 404) return { ok: false, isUnknown: true, problem: 'device tags need Supervisor 17.8 or later' };
    return status >= 200 && status < 300 ? { ok: true } : { ok: false, isUnknown: false, problem: explainStatus(status) };
  }

  /** `GET /v2/device/tags`, from 9.11 on: the Supervisor asks the cloud, so it fails offline. */
  async readTags(): Promise<TagsResult> {
    const answer = await this.#send('GET', '/v2/device/tags', null, CLOUD_TIMEOUT_MS, MAX_TAGS_BYTES);
    if (typeof answer === 'string') return { ok: false, isUnknown: false, problem: answer };
    const { status } = answer;
    if (status === 404) return { ok: false, isUnknown: true, problem: 'reading device tags needs Supervisor 9.11 or later' };
    if (status !== 200) return { ok: false, isUnknown: false, problem: explainStatus(status) };
    const tags = parseTags(parseJson(answer.body));
    return tags === null ? { ok: false, isUnknown: false, problem: 'its answer has no tags in it' } : { ok: true, tags };
  }

  /** `GET /v2/device/name`, from 9.11 on: the name that the cloud has told last; null if it cannot be had. */
  async readName(): Promise<string | null> {
    const answer = await this.#send('GET', '/v2/device/name', null, READING_TIMEOUT_MS);
    if (typeof answer === 'string' || answer.status !== 200) return null;
    const { deviceName } = Object(parseJson(answer.body)) as Record<string, unknown>;
    return typeof deviceName === 'string' && deviceName !== '' ? deviceName : null;
  }

  /** Resolves to the answer, or to the problem in words. */
  #send(method: string, path: string, body: string | null, timeoutMs: number, maxBytes = MAX_ANSWER_BYTES): Promise<{ status: number; body: string } | string> {
    return new Promise((resolve) => {
      const headers = {
        Authorization: `Bearer ${this.address.apiKey}`,
        Accept: 'application/json',
        ...(body === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      };
      const sent = request(new URL(path, this.address.url), { method, headers, agent: false }, (answer) => {
        collect(answer, maxBytes).then(
          (text) => { finish({ status: answer.statusCode ?? 0, body: text }); },
          (error: unknown) => { finish(messageOf(error)); },
        );
      });
      // One limit for everything, since an answer may also come a byte at a time.
      const timer = setTimeout(() => { finish(`it did not answer within ${String(timeoutMs / 1000)} s`); }, timeoutMs);
      const finish = (result: { status: number; body: string } | string): void => {
        clearTimeout(timer);
        sent.destroy();
        resolve(result);
      };
      sent.on('error', (error) => { finish(messageOf(error)); });
      sent.on('upgrade', () => { finish('it speaks another protocol'); });
      sent.end(body ?? undefined);
    });
  }
}

async function collect(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`its answer is longer than ${String(maxBytes)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Null for anything but an answer of `GET /v2/device/tags`. A value that is not text becomes an empty one. */
function parseTags(json: unknown): DeviceTag[] | null {
  const { tags } = Object(json) as Record<string, unknown>;
  if (!Array.isArray(tags)) return null;
  return tags.flatMap((tag: unknown) => {
    const { name, value } = Object(tag) as Record<string, unknown>;
    return typeof name === 'string' ? [{ name, value: typeof value === 'string' ? value : '' }] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function explainStatus(status: number): string {
  return status === 401 || status === 403 ? 'it refuses the API key' : `it answered with status ${String(status)}`;
}
