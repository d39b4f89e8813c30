/** What was said: with one peer, with all contacts, or by strangers, who are kept apart. */
import type { ChatMessageView, PeerReference } from '@peerd/protocol';
import type { Context } from '../context.ts';
import { shortId } from '../ui/ids.ts';
import { peerLabel, peerWithId } from '../ui/labels.ts';
import { count } from '../ui/sizes.ts';
import { datedMessageLine } from './message-line.ts';

export const showHistory = async ({ client, output, signal }: Context, peer: string | undefined, limit: number): Promise<void> => {
  const answer = await client.messages({ ...(peer === undefined ? {} : { peer }), limit }, signal);
  if (output.json) return output.document(answer);
  const { messages } = answer;
  if (messages.length === 0) return output.line(answer.peer === undefined ? 'no messages yet' : `no messages with ${peerWithId(answer.peer)} yet`);
  for (const message of messages) output.line(datedMessageLine(message, peer === undefined, output.colors));
};

export const showStrangers = async ({ client, output, signal }: Context, limit: number): Promise<void> => {
  const answer = await client.messages({ strangers: 'true', limit }, signal);
  if (output.json) return output.document(answer);
  if (answer.messages.length === 0) return output.line('no messages of strangers');
  for (const { peer, messages } of bySender(answer.messages)) {
    output.line(`${output.colors.yellow(peerWithId(peer))}: ${count(messages.length, 'message')}`);
    for (const message of messages) output.line(`  ${datedMessageLine(message, false, output.colors)}`);
  }
  const [first] = answer.messages;
  output.line();
  const id = shortId(first?.peer.id ?? '');
  output.line(`write back:   peerctl chat ${id}  (it becomes a contact)`);
  output.line(`shut it out:  peerctl policy ${id} block`);
};

/** By name. */
const bySender = (messages: readonly ChatMessageView[]): { peer: PeerReference; messages: ChatMessageView[] }[] =>
  [...Map.groupBy(messages, ({ peer }) => peer.id).values()].map((group) => ({ peer: group.at(-1)?.peer ?? { id: '', name: '' }, messages: group })).toSorted((a, b) => peerLabel(a.peer).localeCompare(peerLabel(b.peer)));
