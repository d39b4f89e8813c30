/**
 * A conversation: what is typed (or comes through a pipe) is sent line by line, what arrives is shown above the prompt.
 * Writing to a peer is one's own act, so the peer becomes a contact at the beginning.
 */
import type { ContactView, SendMessageResponse } from '@peerd/protocol';
import { failureOf } from '../client/failure.ts';
import type { Followed } from '../client/follow.ts';
import type { Context } from '../context.ts';
import { interrupted } from '../interrupts.ts';
import { peerLabel, peerWithId } from '../ui/labels.ts';
import { printFailure } from '../ui/print-failure.ts';
import { messageLine } from './message-line.ts';
import { openPrompt, type Prompt } from './prompt.ts';

/** Earlier messages that are shown at the start. */
const historyLines = 10;
const help = '/quit ends the conversation; a line that begins with // is sent with one slash';

/** Messages that were queued when they were sent, by id, and their text. */
type Queued = Map<string, string>;

export const converse = async (context: Context, peer: string): Promise<void> => {
  const { client, output } = context;
  const end = new AbortController();
  const signal = AbortSignal.any([context.signal, end.signal]);
  const events = client.follow({ signal });
  await events.next();
  const { contact, warnings } = await client.trust({ peer }, signal);
  if (!output.json) for (const warning of warnings) output.warn(warning);
  const prompt = openPrompt(output);
  prompt.onInterrupt(() => context.interrupts.abort(interrupted()));
  const queued: Queued = new Map();
  try {
    if (prompt.isTerminal) await greet(context, contact, prompt, signal);
    const arrivals = showArrivals(context, events, contact, prompt, queued);
    await Promise.race([sendLines(context, contact, prompt, queued, signal), arrivals]);
  } finally {
    end.abort(new Error('the conversation ended'));
    prompt.close();
  }
};

const greet = async ({ client, output }: Context, contact: ContactView, prompt: Prompt, signal: AbortSignal): Promise<void> => {
  const { messages } = await client.messages({ peer: contact.id, limit: historyLines }, signal);
  prompt.above(output.colors.dim(`talking with ${peerWithId(contact)}, ${contact.state}; /quit or Ctrl-D ends it`));
  for (const message of messages) prompt.above(messageLine(message, output.colors));
};

/** Rejects when the daemon stays away or the person interrupts. */
const showArrivals = async ({ output }: Context, events: AsyncGenerator<Followed, never, void>, contact: ContactView, prompt: Prompt, queued: Queued): Promise<never> => {
  for await (const event of events) {
    if (event.kind === 'lost' && prompt.isTerminal) prompt.above(output.colors.yellow('peerd is away; waiting until it is back'));
    if (event.kind === 'link' && event.peer.id === contact.id && prompt.isTerminal) prompt.above(output.colors.dim(`${peerLabel(event.peer)} is ${event.state}`));
    if (event.kind !== 'message' || event.message.peer.id !== contact.id) continue;
    const { message } = event;
    if (message.direction === 'received') {
      if (output.json) output.document({ message });
      else prompt.above(messageLine(message, output.colors));
    } else if (message.state === 'delivered' && queued.delete(message.id)) {
      if (output.json) output.document({ message });
      else prompt.above(output.colors.dim(`delivered: ${message.text}`));
    }
  }
  throw new Error('the events ended');
};

/** Resolves at the end of the input. In a pipe the first message that fails is the end. */
const sendLines = async (context: Context, contact: ContactView, prompt: Prompt, queued: Queued, signal: AbortSignal): Promise<void> => {
  const { client, output } = context;
  for await (const line of prompt.lines) {
    if (prompt.isTerminal && /^\/(?!\/)/.test(line)) {
      if (line.trim() === '/quit') return;
      prompt.above(output.colors.dim(help));
      continue;
    }
    const text = prompt.isTerminal && line.startsWith('//') ? line.slice(1) : line;
    if (text.trim() === '') continue;
    try {
      const answer = await client.say({ peer: contact.id, text }, signal);
      if (answer.state === 'queued') queued.set(answer.message.id, answer.message.text);
      report(context, answer, prompt);
    } catch (error) {
      if (!prompt.isTerminal || signal.aborted) throw error;
      prompt.above(output.errorColors.red('not sent:'));
      printFailure(output, failureOf(error));
    }
  }
};

const report = ({ output }: Context, answer: SendMessageResponse, prompt: Prompt): void => {
  if (output.json) return output.document(answer);
  const { message, state } = answer;
  const who = peerLabel(message.peer);
  if (!prompt.isTerminal) output.line(state === 'delivered' ? `delivered to ${who}` : `queued: ${who} gets it as soon as it can be reached`);
  else prompt.above(output.colors.dim(state === 'delivered' ? 'delivered' : `queued: ${who} gets it as soon as it can be reached`));
};
