/**
 * `verify` from the request to its end:
 *
 *  1. wait until the other person does the same
 *  2. show the code, and ask whether the other one sees it too
 *  3. say so to the daemon, and wait for what the other one says
 */
import type { PeerReference, VerifyEvent } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { exitCodeOf, hasCode } from '../client/failure.ts';
import type { Context } from '../context.ts';
import { peerLabel, peerWithId } from '../ui/labels.ts';
import { printFailure } from '../ui/print-failure.ts';
import { askSame } from './ask-same.ts';

export const verifyPeer = async (context: Context, target: string): Promise<number> => {
  const { client, output } = context;
  const me = await client.whoami(context.signal);
  /** Ends with a failure of the answer, or when the other side ends it while the question stands. */
  const own = new AbortController();
  const signal = AbortSignal.any([context.signal, own.signal]);
  const question = new AbortController();
  let isAsking = false;
  const answer = async (peer: PeerReference): Promise<void> => {
    isAsking = true;
    try {
      const same = await askSame(context, peerLabel(peer), question.signal).finally(() => (isAsking = false));
      if (same === undefined) return;
      await client.answerVerification(peer.id, same, signal);
      if (same && !output.json) output.line(output.colors.dim(`waiting for what ${peerLabel(peer)} says`));
    } catch (error) {
      // It ended at the same moment: how stands in the last event.
      if (!hasCode(error, 'wrong_state')) own.abort(error);
    }
  };
  try {
    for await (const event of client.verify(target, signal)) {
      if (output.json) output.document(event);
      if (event.event === 'waiting') greet(context, event, me.name);
      else if (event.event === 'code') {
        if (!output.json) showCode(context, event.code);
        void answer(event.peer);
      } else {
        // Behind a question that nobody has answered.
        if (isAsking && !output.json && process.stdin.isTTY) output.stderr.write('\n');
        return conclude(context, event);
      }
    }
  } finally {
    question.abort();
  }
  throw new PeerdError('daemon_unreachable', 'peerd stopped before the codes were compared', { hint: 'Nothing was changed. Begin anew when it is back.' });
};

const greet = ({ output }: Context, { peer, warnings }: Extract<VerifyEvent, { event: 'waiting' }>, me: string): void => {
  if (output.json) return;
  for (const warning of warnings) output.warn(warning);
  output.line(`waiting for ${peerWithId(peer)}: they have to run ${output.colors.bold(`peerctl verify ${me}`)} (Ctrl-C gives up)`);
};

const showCode = ({ output }: Context, code: string): void => {
  output.line();
  output.line(`    ${output.colors.bold(code)}`);
  output.line();
  output.line('Read it to each other over a channel on which you know each other, such as a phone call.');
};

const conclude = ({ output }: Context, event: Extract<VerifyEvent, { event: 'verified' | 'mismatch' | 'cancelled' | 'failed' }>): number => {
  if (event.event === 'verified') {
    if (!output.json) output.line(`${output.colors.green('verified:')} ${peerWithId(event.peer)}`);
    return 0;
  }
  printFailure(output, event.error);
  return exitCodeOf(event.error.code);
};
