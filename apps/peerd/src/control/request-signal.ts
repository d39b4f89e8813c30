/** How long a request that waits may wait. */
import { PeerdError } from '@peerd/protocol';
import type { FastifyReply } from 'fastify';

/** Aborts when the client went away before it had its answer, when the daemon stops, or after `timeout`. */
export interface RequestSignal extends Disposable {
  readonly signal: AbortSignal;
}

export const requestSignal = (reply: FastifyReply, stopping: AbortSignal, timeout?: { ms: number; reason: () => PeerdError }): RequestSignal => {
  const controller = new AbortController();
  const onClose = (): void => {
    if (!reply.raw.writableFinished) controller.abort(new PeerdError('cancelled', 'the client went away'));
  };
  const onStop = (): void => controller.abort(stopping.reason);
  const timer = timeout && setTimeout(() => controller.abort(timeout.reason()), timeout.ms);
  reply.raw.once('close', onClose);
  stopping.addEventListener('abort', onStop, { once: true });
  if (stopping.aborted) onStop();
  // It may have gone while something else was waited for; that is told once.
  if (reply.raw.closed) onClose();
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      reply.raw.off('close', onClose);
      stopping.removeEventListener('abort', onStop);
    },
  };
};
