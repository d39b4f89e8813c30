import { once } from 'node:events';
import { join } from 'node:path';
import { createLogger } from '@peerd/service';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { requestSignal } from '../../src/control/request-signal.ts';
import { closeControl, createControl, listenControl } from '../../src/control/server.ts';
import { temporaryDirectory } from '../support.ts';
import { send } from '../unix-http.ts';

test('a client that went away before anything waited for it is away all the same', async () => {
  const arrived = Promise.withResolvers<void>();
  const signalled = Promise.withResolvers<unknown>();
  const app = await createControl({
    version: '0.0.0',
    logger: createLogger('test', 'silent'),
    routes: (routes) => {
      routes.get('/slow', { schema: { description: 'Does something before it waits.', response: { 200: z.object({}) } } }, async (_request, reply) => {
        arrived.resolve();
        await once(reply.raw, 'close');
        using waiting = requestSignal(reply, new AbortController().signal);
        signalled.resolve(waiting.signal.reason);
        return {};
      });
    },
  });
  onTestFinished(() => closeControl(app));
  const path = join(await temporaryDirectory(), 'run', 'peerd.sock');
  await listenControl(app, { path, mode: 0o600 });
  const sent = send(path, 'GET', '/slow').on('error', () => {});
  await arrived.promise;
  sent.destroy();
  expect(await signalled.promise).toMatchObject({ code: 'cancelled' });
});
