import type { ErrorRequestHandler, Express, NextFunction, Request, Response } from 'express';
import type { RequestListener } from 'node:http';
import { Call, type HttpObservation } from './call';
import { createFastExpress, type FastExpress, type TimedRequest } from './fast-express';
import { readParameters } from './parameters';
import { HTTP_PROBLEMS, type FieldError } from './problem';
import { ReadQueue } from './read-queue';
import type { ForeignProtocol, Route } from './route';
import { Unsent } from './unsent';

/** Decides who may ask for what. */
export interface Access {
  /**
   * Whether a request may go on; if not, it has been answered.
   * @param route the route that matched; null if none did, so that nothing can be changed
   */
  admits(call: Call, route: Pick<Route, 'method'> | null): boolean;
}

export interface AppParts {
  readonly routes: readonly Route[];
  readonly access: Access;
  readonly metrics: { readonly observeRequest: (observation: HttpObservation) => void; readonly countInternalError: () => void };
  readonly log: { error(message: string, fields: object): unknown };
  /** Called before each GET: what it shows must be up to date. */
  readonly beforeRead: () => void;
}

export interface App {
  readonly handler: RequestListener;
  /** To be called for each new connection. */
  readonly onConnection: () => void;
  /** For `http.createServer`: the classes that the handler expects. */
  readonly serverOptions: FastExpress['serverOptions'];
}

/** The route of a request that matches none, in the metrics. */
const NO_ROUTE = 'none';

/** The Express application: every route of the table, and a problem for everything else. */
export function createApp(parts: AppParts): App {
  const fast = createFastExpress();
  const { app } = fast;
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');

  const unsent = new Unsent();
  const callFor: CallFor = (request, response, path, protocol) =>
    new Call(request as TimedRequest, response, path, parts.metrics.observeRequest, unsent, protocol);

  const reads = new ReadQueue();
  for (const [path, routes] of groupByPath(parts.routes)) addPath(app, path, routes, parts, callFor, reads);
  app.use((request, response) => {
    const call = callFor(request, response, NO_ROUTE);
    if (parts.access.admits(call, null)) call.problem(HTTP_PROBLEMS['not-found'], `There is nothing at ${JSON.stringify(request.path)}; /openapi.json has every path.`);
  });
  app.use(answerError(parts, callFor));
  const handler: RequestListener = (request, response) => {
    // Express does not route a request line without a path.
    app(request as Request, response as Response, () => {
      callFor(request, response as Response, NO_ROUTE).problem(HTTP_PROBLEMS.malformed, 'The request has no path.');
    });
  };
  return { handler, onConnection: reads.onConnection, serverOptions: fast.serverOptions };
}

type CallFor = (request: unknown, response: Response, path: string, protocol?: ForeignProtocol) => Call;

/** One route for all methods of a path: Express compares each request with one route after the other. */
function addPath(app: Express, path: string, routes: readonly Route[], parts: AppParts, callFor: CallFor, reads: ReadQueue): void {
  const expressRoute = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
  for (const route of routes) {
    expressRoute[route.method]((request, response, next) => {
      const call = callFor(request, response, path, route.protocol);
      if (!parts.access.admits(call, route)) return;
      if (route.method === 'get') reads.take(() => { serve(route, call, next, parts.beforeRead); });
      else serve(route, call, next);
    });
  }
  const methods = routes.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  const allowed = methods.join(', ');
  expressRoute.all((request, response) => {
    const call = callFor(request, response, path);
    if (!parts.access.admits(call, null)) return;
    call.problem(HTTP_PROBLEMS['method-not-allowed'], `${request.method} is not for this path; ${allowed} ${methods.length === 1 ? 'is' : 'are'}.`, {}, ['Allow', allowed]);
  });
}

function serve(route: Route, call: Call, next: NextFunction, before?: () => void): void {
  const wrong = wrongPathParameter(route, call);
  if (wrong !== null) {
    call.problem(HTTP_PROBLEMS.invalid, `${wrong.field}: ${wrong.message}`, { errors: [wrong] });
    return;
  }
  readParameters(call.request, route.parameters, route.protocol !== undefined, (read) => {
    if (call.request.socket.destroyed) return;
    try {
      before?.();
      if (read.ok) route.handle(call, read.value);
      else call.problem(read.problem, read.detail, read.errors === undefined ? {} : { errors: read.errors });
    } catch (error) {
      // The body may have arrived later, when Express does not catch errors any more.
      next(error);
    }
  });
}

/** The first parameter of the path that is not as its schema says; null if all are. */
function wrongPathParameter(route: Route, call: Call): FieldError | null {
  for (const [field, schema] of Object.entries(route.pathParameters ?? {})) {
    const value = call.pathParameter(field);
    const parsed = schema.safeParse(value);
    if (!parsed.success) return { field, message: `${JSON.stringify(value)} ${parsed.error.issues[0]?.message ?? 'is wrong'}` };
  }
  return null;
}

/** Answers errors: a URI that Express cannot decode is the client's mistake, everything else is a bug, which is logged. */
function answerError({ metrics, log }: AppParts, callFor: CallFor): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const call = callFor(request, response, NO_ROUTE);
    if (error instanceof URIError) {
      call.problem(HTTP_PROBLEMS.malformed, 'The path has a percent sign that is not followed by two hexadecimal digits of UTF-8.');
      return;
    }
    metrics.countInternalError();
    log.error('internal error', { error: error instanceof Error ? error.stack : String(error) });
    call.problem(HTTP_PROBLEMS.internal, 'This is a bug in update-lock; its log says more.');
  };
}

function groupByPath(routes: readonly Route[]): Map<string, Route[]> {
  const byPath = new Map<string, Route[]>();
  for (const route of routes) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
  return byPath;
}
