/** What an HTTP interface says about itself at /openapi.json: every route, with its schemas and the error document. */
import fastifySwagger from '@fastify/swagger';
import { errorDocumentSchema } from '@peerd/protocol';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';

/**
 * To be called before the routes are added; these go into plugins, which are loaded behind this.
 *
 * A route without a description, or whose answer has no schema, cannot be added.
 */
export const describeRoutes = (app: FastifyInstance, info: { readonly title: string; readonly version: string }): void => {
  app.setValidatorCompiler((route: Parameters<typeof validatorCompiler>[0]) => {
    const validate = validatorCompiler(route);
    // Fastify validates `null` where there is no body; schemas say `undefined`.
    return (data: unknown) => validate(data ?? undefined);
  });
  app.setSerializerCompiler(serializerCompiler);
  void app.register(fastifySwagger, { openapi: { openapi: '3.1.0', info }, transform: jsonSchemaTransform });
  app.addHook('onRoute', (route: RouteOptions) => {
    if (route.schema?.hide === true || route.method === 'HEAD') return;
    const answers = route.schema?.response as Record<string, unknown> | undefined;
    if (route.schema?.description === undefined || answers?.['200'] === undefined) throw new Error(`the route ${String(route.method)} ${route.url} is not described`);
    answers['default'] = { description: 'What went wrong, with a stable code and a hint.', content: { 'application/json': { schema: errorDocumentSchema } } };
  });
  void app.register(async (scope) => scope.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger()));
};
