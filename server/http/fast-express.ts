import express, { type Express, type Request, type Response } from 'express';
import { IncomingMessage, ServerResponse, type ServerOptions } from 'node:http';

/**
 * Express gives every request and response another prototype when they arrive. V8 then makes a new shape for each of
 * them and cannot optimise what touches them: in our measurements that is most of what Express costs, in time and in
 * memory. So the server makes them with the right prototype in the first place, and there is nothing to change.
 */
export interface FastExpress {
  readonly app: Express;
  /** For `http.createServer`: the classes that the app expects. */
  readonly serverOptions: ServerOptions<typeof IncomingMessage, typeof ServerResponse<IncomingMessage>>;
}

/** A request that knows when its head had arrived, by `performance.now()`. */
export class TimedRequest extends IncomingMessage {
  readonly receivedAtMs = performance.now();
}

export function createFastExpress(): FastExpress {
  const app = express();
  class AppRequest extends TimedRequest {}
  class AppResponse extends ServerResponse {}
  app.request = inherit(AppRequest.prototype, express.request, app) as Request;
  app.response = inherit(AppResponse.prototype, express.response, app) as Response;
  return { app, serverOptions: { IncomingMessage: AppRequest, ServerResponse: AppResponse } };
}

function inherit(prototype: object, parent: object, app: Express): object {
  Object.setPrototypeOf(prototype, parent);
  return Object.defineProperty(prototype, 'app', { value: app, configurable: true, enumerable: true, writable: true });
}
