/** One connection of GET /v1/events: server-sent events as control events. */
import type { ControlEvent } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { DaemonError } from './failure.ts';
import { type Answer, open } from './request.ts';
import { notPeerd, unreachable } from './unreachable.ts';

export interface NumberedEvent {
  readonly id: string | undefined;
  readonly event: ControlEvent;
}

export interface EventsOptions {
  /** Resumes behind this event while the daemon still has it. */
  readonly lastEventId: string | undefined;
  readonly signal: AbortSignal;
  /** The daemon writes a comment every 15 s, so a longer silence means that it hangs. */
  readonly silenceMs: number;
}

/** One event is at most a transfer with a thousand final names. */
const maxEventCharacters = 16 * 1024 * 1024;

/** Ends when the daemon ends the stream. @throws PeerdError `daemon_unreachable`, the signal's reason; DaemonError */
export async function* readEvents(socket: string, options: EventsOptions): AsyncGenerator<NumberedEvent, void, void> {
  const response = await open(socket, {
    method: 'GET',
    path: '/v1/events',
    signal: options.signal,
    deadlineMs: options.silenceMs,
    headers: { accept: 'text/event-stream', ...(options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId }) },
  });
  if (response.status !== 200) {
    response.destroy();
    throw response.status === 503
      ? new PeerdError('shutting_down', 'peerd is stopping', { hint: 'Try again when it is back.' })
      : new DaemonError({ code: 'internal', message: `peerd answered the request for events with HTTP status ${response.status}`, hint: 'peerctl and peerd may be of different versions.' });
  }
  yield* parseEvents(socket, response, options.signal);
}

/** The events of a body as it comes. @throws PeerdError `daemon_unreachable`, the signal's reason */
export async function* parseEvents(socket: string, { body }: Pick<Answer, 'body'>, signal: AbortSignal): AsyncGenerator<NumberedEvent, void, void> {
  const ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => ready.push(event), maxBufferSize: maxEventCharacters });
  const decoder = new TextDecoder();
  try {
    for await (const part of body) {
      parser.feed(decoder.decode(part, { stream: true }));
      for (const { id, event, data } of ready.splice(0)) yield { id, event: controlEvent(socket, event, data) };
    }
  } catch (error) {
    throw signal.aborted ? (signal.reason as Error) : unreachable(socket, error as Error);
  }
}

const controlEvent = (socket: string, kind: string | undefined, data: string): ControlEvent => {
  let document: unknown;
  try {
    document = JSON.parse(data);
  } catch {
    throw notPeerd(socket);
  }
  return { ...(kind === undefined ? {} : { kind }), ...(document as object) } as ControlEvent;
};
