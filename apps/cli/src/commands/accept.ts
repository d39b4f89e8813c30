import type { InboxActionResponse } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { type Command, createArgument } from 'commander';
import { exitCodeOf, type Failure, failureOf } from '../client/failure.ts';
import type { Context, Run } from '../context.ts';
import { peerLabel, peerWithId } from '../ui/labels.ts';
import { printFailure } from '../ui/print-failure.ts';
import { count, formatBytes } from '../ui/sizes.ts';
import { absolutePath, examples, idHelp, nonEmpty } from './usage.ts';

interface Options {
  readonly all?: boolean;
  readonly to?: string;
}

export const addAccept = (program: Command, run: Run): void => {
  program
    .command('accept')
    .summary('accept what waits in the inbox')
    .description('Accepts an offer, so that its content is sent, or an introduction, so that a link comes up, and returns at once; the peer becomes a contact. `peerctl transfers --watch` shows how a transfer goes on.')
    .addArgument(createArgument('[ID]', 'which offer or introduction').argParser(nonEmpty))
    .option('--all', 'everything in the inbox')
    .option('--to <DIR>', "put it there instead of in peerd's download directory")
    .addHelpText(
      'after',
      `${examples(['peerctl accept 01jd…', 'take one offer'], ['peerctl accept --all --to ~/incoming', 'take all of them, into that directory'])}\n${idHelp}`,
    )
    .action(
      run(async (context, id: string | undefined, { all = false, to }: Options) => {
        if (all === (id !== undefined))
          throw new PeerdError('invalid_argument', all ? 'an ID and --all exclude each other' : 'say which offer: an ID, or --all', { hint: '`peerctl inbox` lists the offers with their ids.' });
        const directory = to === undefined ? {} : { to: absolutePath(to, 'Choose a directory whose name is valid UTF-8.') };
        if (id === undefined) return await acceptAll(context, directory);
        const answer = await context.client.accept(id, directory, context.signal);
        if (context.output.json) return context.output.document(answer);
        context.output.line(describe(answer));
      }),
    );
};

/** One that fails does not keep the others from being accepted. */
const acceptAll = async ({ client, output, signal }: Context, directory: { to?: string }): Promise<number> => {
  const { offers, introductions } = await client.inbox(signal);
  const waiting = [...introductions, ...offers];
  const results: InboxActionResponse[] = [];
  const errors: (Failure & { id: string })[] = [];
  for (const { id } of waiting) {
    try {
      const answer = await client.accept(id, directory, signal);
      results.push(answer);
      if (!output.json) output.line(describe(answer));
    } catch (error) {
      signal.throwIfAborted();
      errors.push({ id, ...failureOf(error) });
    }
  }
  if (output.json) output.document({ results, errors });
  else if (waiting.length === 0) output.line('nothing waits for a decision');
  for (const { id, ...failure } of errors) printFailure(output, output.json ? failure : { ...failure, message: `${id}: ${failure.message}` });
  return errors.map(({ code }) => exitCodeOf(code)).find((code) => code !== 0) ?? 0;
};

const describe = (answer: InboxActionResponse): string => {
  if ('introduction' in answer) return `accepted the introduction of ${peerWithId(answer.introduction.from)}: now a contact, a link comes up`;
  const { transfer, state } = answer;
  const what = `${transfer.id} from ${peerLabel(transfer.peer)}: ${count(transfer.entries, 'entry', 'entries')}, ${formatBytes(transfer.bytes)}`;
  return `${state === 'accepted' ? 'accepted' : 'was already accepted:'} ${what}`;
};
