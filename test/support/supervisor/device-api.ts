import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { History } from './history';

/** What the routes ask of the Supervisor behind them. */
export interface Answers {
  apiKey: () => string;
  /** Whether Helios answers in its place. */
  readonly isHelios: boolean;
  /** Whether there is no Supervisor behind it: then nothing but `POST /v1/update` is answered. */
  readonly isAlone: boolean;
  isDownloading: () => boolean;
  /** The body of `GET /v1/device`. */
  device: () => Record<string, unknown>;
  /** The device's name, as the cloud has told it last. */
  name: () => string;
  /** The device's tags, as the cloud has them; null if the cloud cannot be reached. */
  tags: () => Readonly<Record<string, string>> | null;
  /** The body of `GET /v2/state/status`. */
  status: () => Record<string, unknown>;
  /** `POST /v2/journal-logs`. */
  journal: (request: Request, response: Response) => void;
  /** The body of `GET /v2/applications/state`. */
  applications: () => Record<string, unknown>;
  /** False if it is ignored. */
  update: (force: boolean, cancel: boolean) => boolean;
}

/**
 * A way of not answering as usual: any status with the body of an error, an answer that is not JSON, none at all, a
 * connection that is reset, or the usual answer, late.
 */
export type Mood = number | 'garbage' | 'hang' | 'reset' | { readonly delayMs: number };

/** The routes that matter here: balena-supervisor v19.0.5 `src/device-api/index.ts`, `v1.ts`, `v2.ts`. */
export function deviceApi(answers: Answers, history: History, moodFor: (path: string) => Mood | undefined): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(record(answers, history));
  app.use((request, response, next) => { misbehave(moodFor(request.path), response, next); });
  app.get('/ping', (_request, response) => { response.send('OK'); });
  if (answers.isHelios) app.post('/v1/update', heliosUpdate(answers));
  app.use(authorise(answers));
  if (answers.isAlone) app.use((_request, response) => { response.sendStatus(404); });
  app.use(express.urlencoded({ limit: '10mb', extended: true }));
  app.use(express.json({ limit: '10mb' }));
  app.post('/v1/update', (request, response) => {
    const { force, cancel } = bodyOf(request);
    response.sendStatus(answers.update(isTruthy(force), isTruthy(cancel)) ? 204 : 202);
  });
  // From 17.8.0 on (`src/device-api/v2.ts`); the cloud is told later.
  app.patch('/v2/device/tags', (_request, response) => { response.sendStatus(202); });
  // From 9.11.0 on: the cloud is asked, and whatever is wrong is 500.
  app.get('/v2/device/tags', (_request, response) => {
    const tags = answers.tags();
    if (tags === null) response.status(500).json({ status: 'failed', message: 'Connection refused' });
    else response.json({ status: 'success', tags: Object.entries(tags).map(([name, value], index) => ({ id: index + 1, name, value })) });
  });
  app.get('/v2/device/name', (_request, response) => { response.json({ status: 'success', deviceName: answers.name() }); });
  app.post('/v2/journal-logs', answers.journal);
  app.get('/v1/device', (_request, response) => { response.json(answers.device()); });
  app.get('/v2/state/status', (_request, response) => { response.status(200).send(answers.status()); });
  app.get('/v2/applications/state', (_request, response) => { response.status(200).json(answers.applications()); });
  // `middleware/errors.ts`: whatever is wrong, a body that cannot be parsed included, is 503. The unused fourth makes it one for errors.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    response.status(503).send({ status: 'failed', message: error.message });
  });
  return app;
}

/** `middleware/auth.ts`: the query comes before the header, and a key consists of letters, digits and `_`. */
function authorise(answers: Answers) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const { apikey } = request.query;
    const inHeader = /^(?:ApiKey|Bearer) (\w+)$/i.exec(request.get('Authorization') ?? '')?.[1];
    const key = typeof apikey === 'string' && apikey !== '' ? apikey : inHeader;
    if (key === answers.apiKey()) next();
    else response.sendStatus(401);
  };
}

/**
 * Helios, which passes everything else on to the Supervisor behind it, asks for no key here, takes a body of any type for
 * JSON, and cancels if there is none that makes sense (balena-io/helios v0.26.2 `helios-api/src/lib.rs` `trigger_poll`).
 */
function heliosUpdate(answers: Answers) {
  return [
    express.text({ type: () => true }),
    (request: Request, response: Response): void => {
      const text = typeof request.body === 'string' ? request.body : '';
      let options: Record<string, unknown> = { cancel: true };
      try {
        options = JSON.parse(text) as Record<string, unknown>;
      } catch {
        // The defaults, then.
      }
      request.body = options;
      answers.update(options['force'] === true, options['cancel'] === true);
      response.sendStatus(202);
    },
  ];
}

function misbehave(mood: Mood | undefined, response: Response, next: NextFunction): void {
  if (mood === undefined) next();
  else if (typeof mood === 'number') response.status(mood).send({ status: 'failed', message: 'told to fail' });
  else if (mood === 'garbage') response.status(200).type('json').send('{"update_pending": tru');
  else if (mood === 'reset') response.socket?.resetAndDestroy();
  else if (mood !== 'hang') setTimeout(next, mood.delayMs).unref();
}

function record(answers: Answers, history: History) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const atMs = performance.now();
    const { method, path } = request;
    const whileDownloading = answers.isDownloading();
    const key = request.query['apikey'] === undefined ? (request.get('Authorization') === undefined ? 'none' : 'header') : 'query';
    history.add({ kind: 'arrival', method, path }, atMs);
    let isTold = false;
    const tell = (status: number | undefined): void => {
      if (isTold) return;
      isTold = true;
      history.add({ kind: 'request', method, path, body: bodyOf(request), contentType: request.get('Content-Type'), key, status, whileDownloading }, atMs);
    };
    // Before whoever asked can have got the answer.
    response.once('prefinish', () => { tell(response.statusCode); });
    response.once('close', () => { tell(undefined); });
    next();
  };
}

/** Express 5 leaves it undefined where Express 4, the Supervisor's, has an empty object. */
function bodyOf(request: Request): Record<string, unknown> {
  return (request.body as Record<string, unknown> | undefined) ?? {};
}

/** `checkTruthy` of `src/lib/validation.ts`. */
function isTruthy(value: unknown): boolean {
  return ['1', 'true', true, 'on', 1].includes(typeof value === 'string' ? value.toLowerCase() : (value as boolean));
}
