/** POST /v1/spool, DELETE /v1/spool/:id */
import { spoolQuerySchema, spoolResponseSchema } from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SpoolIntake } from '../../spool/ports.ts';
import { requestSignal } from '../request-signal.ts';

export interface SpoolRoutes {
  readonly spool: SpoolIntake;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
}

/** A body that was not read to its end is given so long after the answer, in milliseconds. */
const leftoverMs = 5_000;

const tar = 'application/x-tar';
const file = 'application/octet-stream';

export const spoolRoutes: FastifyPluginAsyncZod<SpoolRoutes> = async (app, { spool, stopping }) => {
  // The body is read as it comes, and no further than it can be stored.
  app.addContentTypeParser([tar, file], (_request, _body, done) => done(null));

  app.post(
    '/v1/spool',
    {
      schema: {
        description: `Uploads what peerd can't read where it is, so that POST /v1/transfers can name it in \`spools\`: one file (${file}, with \`name\`), or a tree as ${tar} with one top-level entry, depth first, where each character of a name stands for one byte. Nothing is left of an upload that ends early.`,
        querystring: spoolQuerySchema,
        response: { 200: spoolResponseSchema },
      },
    },
    async (request, reply) => {
      using waiting = requestSignal(reply, stopping);
      const { signal } = waiting;
      reply.raw.once('finish', () => {
        if (!request.raw.complete) setTimeout(() => request.raw.destroy(), leftoverMs).unref();
      });
      if (request.headers['content-type']?.startsWith(tar) === true) return await spool.tree(request.raw, { signal });
      const { name = 'stdin', nameBase64, mode = 0o644 } = request.query;
      return await spool.file(request.raw, { name: nameBase64 === undefined ? Buffer.from(name) : Buffer.from(nameBase64, 'base64url'), mode, signal });
    },
  );

  app.delete(
    '/v1/spool/:id',
    {
      schema: {
        description: 'Removes an upload that no transfer needs.',
        params: z.object({ id: z.string().max(64) }),
        response: { 200: z.object({ state: z.enum(['removed', 'kept']) }) },
      },
    },
    async (request) => ({ state: (await spool.discard(request.params.id)) ? ('removed' as const) : ('kept' as const) }),
  );
};
