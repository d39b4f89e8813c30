import { PeerdError } from '@peerd/protocol/errors';
import { type Command, createArgument, createOption } from 'commander';
import type { Context, Run } from '../context.ts';
import { peerLabel } from '../ui/labels.ts';
import { examples, nonEmpty, peerHelp, wholeNumber } from './usage.ts';

interface Options {
  readonly follow?: boolean;
  /** `true`: without a number. */
  readonly history?: number | true;
  readonly strangers?: boolean;
}

const defaultHistory = 100;
/** What the daemon gives at once. */
const maxHistory = 10_000;

export const addChat = (program: Command, run: Run): void => {
  program
    .command('chat')
    .summary('write messages to a peer')
    .description('Writes one message, or talks with a peer until /quit. A message for a peer that is away is kept and delivered when it is back.')
    .addArgument(createArgument('[PEER]', 'whom to talk with; needed for everything but --history and --strangers').argParser(nonEmpty))
    .argument('[TEXT...]', 'one message; without it a conversation begins')
    .option('--follow', 'only print what arrives from the peer, until Ctrl-C')
    .addOption(createOption('--history [N]', `print the latest N messages with the peer, or with all contacts (default: ${defaultHistory})`).argParser(wholeNumber(1, maxHistory)))
    .option('--strangers', 'print what peers wrote that are no contacts')
    .addHelpText(
      'after',
      `${examples(
        ['peerctl chat bob lunch at noon?', 'one message: delivered or queued'],
        ['peerctl chat bob -- -1 degrees here', '-- ends the options'],
        ['peerctl chat bob', 'a conversation; /quit or Ctrl-D ends it'],
        ['peerctl chat bob --follow --json', 'what arrives, one document per message'],
        ['uptime | peerctl chat bob', 'each line of a pipe is one message'],
        ['peerctl chat bob --history 20', 'what was said before'],
        ['peerctl chat --strangers', 'who else wrote, and what'],
      )}\n${peerHelp}`,
    )
    .action(
      run(async (context, peer: string | undefined, words: string[], { follow = false, history, strangers = false }: Options) => {
        if ([follow, history !== undefined, strangers].filter(Boolean).length > 1) throw new PeerdError('invalid_argument', '--follow, --history and --strangers exclude each other', { hint: 'Give one of them.' });
        if ((history !== undefined && words.length > 0) || (strangers && peer !== undefined))
          throw new PeerdError('invalid_argument', `${strangers ? '--strangers and a PEER' : '--history and a TEXT'} exclude each other`, { hint: '`peerctl chat PEER --history` shows the messages of one peer, a stranger too.' });
        if (strangers) return await (await import('../chat/history.ts')).showStrangers(context, maxHistory);
        if (history !== undefined) return await (await import('../chat/history.ts')).showHistory(context, peer, history === true ? defaultHistory : history);
        if (peer === undefined) throw new PeerdError('invalid_argument', 'say with whom: PEER', { hint: '`peerctl peers` lists the peers.' });
        if (follow && words.length > 0) throw new PeerdError('invalid_argument', '--follow and a TEXT exclude each other', { hint: 'Write the message first, then follow.' });
        if (follow) return await (await import('../chat/follow-chat.ts')).followChat(context, peer);
        if (words.length === 0) return await (await import('../chat/converse.ts')).converse(context, peer);
        await say(context, peer, words.join(' '));
      }),
    );
};

const say = async ({ client, output, signal }: Context, peer: string, text: string): Promise<void> => {
  if (text.trim() === '') throw new PeerdError('invalid_argument', 'the message is empty', { hint: 'Write some text, or leave it away for a conversation.' });
  const answer = await client.say({ peer, text }, signal);
  if (output.json) return output.document(answer);
  for (const warning of answer.warnings) output.warn(warning);
  const who = peerLabel(answer.message.peer);
  output.line(answer.state === 'delivered' ? `delivered to ${who}` : `queued: ${who} gets it as soon as it can be reached`);
};
