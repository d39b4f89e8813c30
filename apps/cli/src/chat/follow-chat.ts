import type { Context } from '../context.ts';
import { messageLine } from './message-line.ts';

/** Prints what arrives from one peer, until it is interrupted or the daemon stays away. */
export const followChat = async ({ client, output, signal }: Context, peer: string): Promise<never> => {
  const events = client.follow({ signal });
  await events.next();
  // Who is meant is for the daemon to say: it compares names.
  const { peer: meant } = await client.messages({ peer, limit: 1 }, signal);
  for await (const event of events) {
    if (event.kind === 'lost' && !output.json) output.warn('peerd is away; waiting until it is back');
    if (event.kind !== 'message' || event.message.direction !== 'received') continue;
    const { message } = event;
    if (meant === undefined ? message.peer.name !== peer : message.peer.id !== meant.id) continue;
    if (output.json) output.document({ message });
    else output.line(messageLine(message, output.colors));
  }
  throw new Error('the events ended');
};
