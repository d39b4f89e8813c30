/** GET /v1/events: server-sent events until the client goes away or the daemon stops. */
import { controlEventSchema } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { EventHub } from '../events/hub.ts';

export interface EventsRoutes {
  readonly hub: EventHub;
  readonly logger: Logger;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
  readonly commentMs?: number;
  /** What a subscriber may leave unread before it is cut off. It comes back with `Last-Event-ID`. */
  readonly maxUnreadBytes?: number;
}

const defaultCommentMs = 15_000;
const defaultMaxUnreadBytes = 4 * 1_024 * 1_024;

export const eventsRoutes: FastifyPluginAsyncZod<EventsRoutes> = async (app, options) => {
  const { hub, logger, stopping, commentMs = defaultCommentMs, maxUnreadBytes = defaultMaxUnreadBytes } = options;
  app.get('/v1/events', { schema: { description: 'Server-sent events. Last-Event-ID resumes.', response: { 200: { description: 'Each event has its kind as type, and an id; data is JSON.', content: { 'text/event-stream': { schema: controlEventSchema } } } } } }, (request, reply) => {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const write = (text: string): void => {
      if (raw.destroyed || raw.writableEnded) return;
      raw.write(text);
      if (raw.writableLength <= maxUnreadBytes) return;
      logger.warn({ unread: raw.writableLength }, 'control: a subscriber of events does not read them and is cut off');
      raw.destroy();
    };
    const lastEventId = request.headers['last-event-id'];
    const unsubscribe = hub.subscribe(write, typeof lastEventId === 'string' ? lastEventId : undefined);
    const comment = setInterval(() => write(': still here\n\n'), commentMs);
    const onStop = (): void => void raw.end();
    stopping.addEventListener('abort', onStop, { once: true });
    raw.once('close', () => {
      unsubscribe();
      clearInterval(comment);
      stopping.removeEventListener('abort', onStop);
    });
    if (stopping.aborted) onStop();
  });
};
