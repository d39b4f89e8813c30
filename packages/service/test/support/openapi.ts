/** What /openapi.json must say: exactly the routes that Fastify has, in valid OpenAPI 3.1. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { expect } from 'vitest';

interface Operation {
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The routes, as `GET /v1/peers/{peer}`, of every Fastify instance that is made until it is disposed. */
export const watchRoutes = (): Disposable & { readonly routes: ReadonlySet<string> } => {
  const routes = new Set<string>();
  const onInitialized = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }: RouteOptions) => {
      for (const name of [method].flat()) if (name !== 'HEAD') routes.add(`${name} ${url.replace(/:(\w+)/g, '{$1}')}`);
    });
  };
  subscribe('fastify.initialization', onInitialized);
  return { routes, [Symbol.dispose]: () => void unsubscribe('fastify.initialization', onInitialized) };
};

/** Checks the document, and returns the routes in it. */
export const describedRoutes = async (document: unknown): Promise<Set<string>> => {
  expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./) as string });
  const { paths } = document as Document;
  const { valid, errors } = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  const described = new Set(['GET /openapi.json']);
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { description, parameters = [], responses }] of Object.entries(operations)) {
      const name = `${method.toUpperCase()} ${path}`;
      described.add(name);
      expect({ name, description }).toMatchObject({ description: expect.stringMatching(/\S/) as string });
      const named = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name);
      expect([name, ...named]).toEqual([name, ...[...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)]);
      const shapeless = Object.entries(responses).filter(([, { content = {} }]) => Object.values(content).every(({ schema = {} }) => Object.keys(schema).length === 0));
      expect({ name, shapeless }).toEqual({ name, shapeless: [] });
      expect({ name, schema: responses['default']?.content?.['application/json']?.schema }).toMatchObject({ name, schema: { properties: { error: { properties: { code: {}, message: {}, hint: {} } } } } });
    }
  }
  return described;
};
