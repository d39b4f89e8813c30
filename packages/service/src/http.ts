/**
 * The HTTP endpoint of a daemon: `/metrics`, `/healthz`, `/readyz`, open to anyone who reaches the port but only under a
 * host name that cannot be made to point here from a web page (DNS rebinding).
 */
import { isIP } from 'node:net';
import { errorCodes, escapeText, formatAddress, PeerdError } from '@peerd/protocol';
import Fastify, { type FastifyInstance } from 'fastify';
import { Counter, type Registry } from 'prom-client';
import { z } from 'zod';
import { boundConnections } from './bound-connections.ts';
import { describeRoutes } from './openapi.ts';

export interface HttpOptions {
  readonly registry: Registry;
  /** Why the daemon is not ready, or `undefined` when it is. */
  readonly notReady: () => string | undefined;
  readonly title: string;
  readonly version: string;
  /** Host names besides loopback and IP literals that may stand in `Host`. */
  readonly allowedHosts: readonly string[];
}

/** Headers and body of a request together. */
const requestMs = 10_000;
/** Between requests of a connection: longer than Prometheus' usual minute, so that it keeps its connection. */
const idleMs = 75_000;
/** How often slow requests are looked for. */
const checkEveryMs = 1_000;
/** Open connections: a few scrapers and persons. */
const maxConnections = 128;

export const createHttp = (options: HttpOptions): FastifyInstance => {
  const app = Fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    http: { headersTimeout: requestMs, connectionsCheckingInterval: checkEveryMs },
  });
  const dropped = new Counter({ name: 'http_connections_dropped_total', help: 'Connections to this port that gave way to newer ones, since there were too many.', registers: [options.registry] });
  boundConnections(app.server, maxConnections, () => dropped.inc());
  app.addHook('onRequest', async (request) => {
    const host = request.host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase();
    if (host === 'localhost' || isIP(host) !== 0 || options.allowedHosts.includes(host)) return;
    throw new PeerdError('invalid_argument', `Host "${escapeText(host)}" is not allowed here`, { hint: 'Use an IP address, or start the daemon with --allow-host NAME.' });
  });
  app.setErrorHandler(async (error, _request, reply) => reply.status(httpStatus(error)).send(errorBody(error)));
  app.setNotFoundHandler(async (request, reply) => reply.status(404).send(errorBody(new PeerdError('not_found', `no route ${request.method} ${escapeText(request.url)}`))));
  describeRoutes(app, { title: options.title, version: options.version });
  void app.register(async (scope) => addCommonRoutes(scope, options));
  return app;
};

const addCommonRoutes = (app: FastifyInstance, { registry, notReady }: HttpOptions): void => {
  const metrics = { description: 'The Prometheus text format.', content: { 'text/plain': { schema: z.string() } } };
  app.get('/metrics', { schema: { description: 'Metrics for Prometheus.', response: { 200: metrics } } }, async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  app.get('/healthz', { schema: { description: 'Whether the process lives.', response: { 200: z.object({ status: z.literal('ok') }) } } }, async () => ({ status: 'ok' }));
  const readiness = { 200: z.object({ status: z.literal('ready') }), 503: z.object({ status: z.literal('not_ready'), reason: z.string() }) };
  app.get('/readyz', { schema: { description: 'Whether it serves: 503 says why not.', response: readiness } }, async (_request, reply) => {
    const reason = notReady();
    return reason === undefined ? { status: 'ready' } : reply.status(503).send({ status: 'not_ready', reason });
  });
};

/** The error document of design: `{ error: { code, message, hint } }`. */
export const errorBody = (error: unknown): { error: { code: string; message: string; hint: string | null; details?: Record<string, unknown> } } => {
  if (error instanceof PeerdError)
    return { error: { code: error.code, message: error.message, hint: error.hint ?? null, ...(error.details ? { details: error.details } : {}) } };
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  const message = error instanceof Error ? error.message : String(error);
  return { error: { code: status < 500 ? 'invalid_argument' : 'internal', message: escapeText(message), hint: status < 500 ? null : errorCodes.internal.summary } };
};

export const httpStatus = (error: unknown): number => {
  if (!(error instanceof PeerdError)) return (error as { statusCode?: number }).statusCode ?? 500;
  if (error.code === 'internal') return 500;
  if (error.code === 'unauthorized') return 401;
  if (error.code === 'not_found' || error.code === 'no_such_peer') return 404;
  if (error.code === 'shutting_down') return 503;
  return error.exitCode === 2 ? 400 : 409;
};

/**
 * Binds the endpoint. A port that was only defaulted and is in use gives way to any free one.
 *
 * @returns HOST:PORT as bound
 * @throws PeerdError `address_in_use`, `invalid_settings`
 */
export const bindHttp = async (app: FastifyInstance, address: { host: string; port: number }, explicit: boolean): Promise<string> => {
  try {
    await app.listen({ host: address.host, port: address.port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'EADDRINUSE') throw new PeerdError('invalid_settings', `cannot listen on ${formatAddress(address)}: ${(cause as Error).message}`, { cause, hint: 'Give an address of this machine, such as 127.0.0.1:0.' });
    if (explicit) throw new PeerdError('address_in_use', `${formatAddress(address)} is in use`, { cause, hint: 'Stop the other program or choose another port; port 0 takes any free one.' });
    await app.listen({ host: address.host, port: 0 });
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new PeerdError('internal', 'the HTTP endpoint has no address');
  return formatAddress({ host: bound.address, port: bound.port });
};
