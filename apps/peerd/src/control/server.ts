/** The control API: HTTP/1.1 on a Unix socket, typed by zod, described at /openapi.json. */
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { escapeText, PeerdError } from '@peerd/protocol';
import { describeRoutes, errorBody, httpStatus, type Logger } from '@peerd/service';
import { ioError } from '@peerd/transfer';
import Fastify, { type FastifyInstance } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { prepareSocketFile } from './socket-file.ts';
import type { SocketPlace } from './socket-path.ts';

export interface ControlOptions {
  readonly version: string;
  readonly logger: Logger;
  /** @param route the pattern of the route, not the path */
  readonly onAnswered?: (method: string, route: string, status: number) => void;
  /** Registers the routes. Called once, before the server listens. */
  readonly routes: (app: FastifyInstance) => void;
}

/** A send names up to 10,000 paths of up to 4 KiB. */
const maxBodyBytes = 48 * 1_024 * 1_024;
/** What may still be answered after `stop`, in milliseconds. */
const closeGraceMs = 1_000;

export const createControl = async ({ version, logger, onAnswered, routes }: ControlOptions): Promise<FastifyInstance> => {
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    // Consent takes hours.
    requestTimeout: 0,
    connectionTimeout: 0,
    routerOptions: { maxParamLength: 1_024 },
  });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // A body is optional for some actions, and many clients name its type anyway.
    if (body === '') done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const known = toPeerdError(error);
    if (httpStatus(error) >= 500) logger.error({ err: error, method: request.method, url: escapeText(request.url) }, 'control: a request failed');
    return reply.status(httpStatus(known)).send(errorBody(known));
  });
  app.addHook('onResponse', async (request, reply) => onAnswered?.(request.method, request.routeOptions.url ?? 'none', reply.statusCode));
  app.setNotFoundHandler(async (request, reply) =>
    reply.status(404).send(errorBody(new PeerdError('not_found', `no route ${request.method} ${escapeText(request.url)}`, { hint: 'GET /openapi.json lists the routes of this version.' }))),
  );
  describeRoutes(app, { title: 'peerd control API', version });
  app.after(() => routes(app));
  await app.ready();
  return app;
};

/**
 * Takes the socket, or the one that systemd has opened already.
 *
 * @param inherited its file descriptor
 * @throws PeerdError `invalid_settings`, `address_in_use`
 */
export const listenControl = async (app: FastifyInstance, place: SocketPlace, inherited?: number): Promise<void> => {
  if (inherited !== undefined) {
    // Not app.listen({ fd }): Fastify asks for the port then, and a Unix socket has none.
    app.server.listen({ fd: inherited });
    await once(app.server, 'listening');
    return;
  }
  await prepareSocketFile(place.path);
  try {
    await app.listen({ path: place.path });
    // Until here the directory keeps others out.
    await chmod(place.path, place.mode);
  } catch (cause) {
    throw new PeerdError('invalid_settings', `--control: cannot listen at ${place.path}: ${(cause as Error).message}`, { cause, hint: 'Give another path: --control PATH.' });
  }
};

/** Requests that are being answered may finish; what waits for longer was told to stop before. */
export const closeControl = async (app: FastifyInstance): Promise<void> => {
  const grace = setTimeout(() => app.server.closeAllConnections(), closeGraceMs);
  await app.close();
  clearTimeout(grace);
};

const toPeerdError = (error: unknown): unknown => {
  // A disk that fails, or too few descriptors, is no defect of ours.
  if (!hasZodFastifySchemaValidationErrors(error)) return ioError(error, 'the request');
  const issue = error.validation[0];
  const field = issue?.instancePath.replace(/^\//, '').replaceAll('/', '.') ?? '';
  return new PeerdError('invalid_argument', `${error.validationContext ?? 'request'}${field === '' ? '' : ` ${escapeText(field)}`}: ${issue?.message ?? 'invalid'}`, {
    hint: 'GET /openapi.json describes every request.',
  });
};
