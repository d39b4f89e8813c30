/** Notifications of the desktop, by `notify-send`, where there is one and somebody is logged in to see them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlEvent } from '@peerd/protocol';
import { type Logger, type Rate, TokenBucket } from '@peerd/service';
import { inheritedEnvironment } from './environment.ts';
import { runCommand } from './run-command.ts';
import { WorkQueue } from './work-queue.ts';

export interface NotificationsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export interface Notifications {
  /** Names and texts in events are escaped. */
  event(event: ControlEvent): void;
  stop(): Promise<void>;
}

const program = 'notify-send';
const timeoutMs = 5_000;
const maxCharacters = 200;
/** Somebody who offers and writes without end does not fill the screen. */
const rate: Rate = { burst: 5, perSecond: 0.2 };

/** `undefined` where nobody would see them. */
export const createNotifications = ({ env, logger, now }: NotificationsOptions): Notifications | undefined => {
  const path = (env['PATH'] ?? '').split(':').map((directory) => join(directory || '.', program)).find((candidate) => existsSync(candidate));
  if (path === undefined || !hasSession(env)) return undefined;
  const queue = new WorkQueue({ concurrency: 1, maxWaiting: 8 });
  const stopping = new AbortController();
  const bucket = new TokenBucket(rate, now());

  const show = async (title: string, body: string): Promise<void> => {
    const words = [path, '--app-name=peerd', '--', clip(title), markup(clip(body))];
    const { outcome, detail } = await runCommand({ words, timeoutMs, env: inheritedEnvironment(env), signal: stopping.signal });
    if (outcome !== 'done') logger.debug({ outcome, detail }, 'a notification could not be shown');
  };

  return {
    event: (event) => {
      const text = textOf(event);
      if (!text) return;
      // No credit: what is too much is left out, not late.
      if (!bucket.take(now()) || !queue.add(() => show(...text).catch((error: unknown) => logger.debug({ err: error }, 'a notification could not be shown')))) {
        logger.debug({ kind: event.kind }, 'a notification is left out, there are too many');
      }
    },
    stop: async () => {
      stopping.abort();
      await queue.close();
    },
  };
};

const hasSession = (env: NotificationsOptions['env']): boolean =>
  Boolean(env['DBUS_SESSION_BUS_ADDRESS']) || (Boolean(env['XDG_RUNTIME_DIR']) && existsSync(join(env['XDG_RUNTIME_DIR'] ?? '', 'bus')));

/** Title and body. Strangers may offer, but their messages are kept apart. */
const textOf = (event: ControlEvent): readonly [string, string] | undefined => {
  if (event.kind === 'offer') return [`${event.from.name} wants to send you something`, 'peerctl inbox shows what, peerctl accept takes it.'];
  if (event.kind === 'message') {
    const { direction, stranger, peer, text } = event.message;
    return direction === 'received' && !stranger ? [peer.name, text] : undefined;
  }
  if (event.kind !== 'transfer' || event.transfer.direction !== 'receive' || event.transfer.state !== 'done') return undefined;
  const { savedAs = [], transfer } = event;
  return [`Received from ${transfer.peer.name}`, savedAs.length > 1 ? `${savedAs[0] ?? ''} and ${savedAs.length - 1} more` : (savedAs[0] ?? '')];
};

const clip = (text: string): string => {
  const characters = Array.from(text);
  return characters.length <= maxCharacters ? text : `${characters.slice(0, maxCharacters - 1).join('')}…`;
};

/** The body is read as markup: https://specifications.freedesktop.org/notification-spec/latest/markup.html */
const markup = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
