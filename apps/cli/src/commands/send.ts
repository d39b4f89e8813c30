import type { ConflictPolicy, SendRequest } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { type Command, createArgument, createOption } from 'commander';
import type { Run } from '../context.ts';
import { rate } from './amounts.ts';
import { examples, nonEmpty, peerHelp } from './usage.ts';

interface Options {
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly conflict?: ConflictPolicy;
  readonly note?: string;
  readonly limitRate?: number;
}

const details = `
Without --detach the command returns when every receiver has verified the content
and placed it under its final name. Ctrl-C on a terminal asks whether to cancel the
transfer or to detach from it; elsewhere it detaches.

Exit codes: 0 all arrived, 1 failed, 3 peerd unreachable, 4 no such peer,
5 rejected, 6 cancelled, 7 no space at the receiver, 8 trust refused,
130 interrupted. With several receivers: the first one that is not 0.`;

export const addSend = (program: Command, run: Run): void => {
  program
    .command('send')
    .summary('send files and directories to peers')
    .description('Sends files, directories and symbolic links to one or several peers. Each receiver decides whether to take them.')
    .addArgument(createArgument('<PEER[,PEER...]>', 'whom to send to').argParser(nonEmpty))
    .argument('<PATH...>', 'what to send')
    .option('--detach', 'return as soon as the transfer is queued')
    .option('--dry-run', 'say what would be sent, and what of it is new, same or in conflict at the receivers')
    .addOption(createOption('--conflict <POLICY>', 'what to do when a name exists at the receiver (default: rename)').choices(['rename', 'fail', 'overwrite', 'skip'] satisfies ConflictPolicy[]))
    .option('--note <TEXT>', 'words that the receiver sees with the offer')
    .addOption(createOption('--limit-rate <RATE>', 'bytes per second at most, to each peer, such as 500K or 2.5M').argParser(rate))
    .addHelpText(
      'after',
      `${examples(
        ['peerctl send bob report.pdf', 'one file; wait until it has arrived'],
        ['peerctl send bob,carol photos/ notes.txt', 'the same to two peers'],
        ['peerctl send bob disk.img --detach', 'queue it and return'],
        ['peerctl send bob photos --dry-run', 'what would be sent, and what bob has of it'],
        ['peerctl send bob disk.img --limit-rate 2M', 'leave room on the line: 2 MiB each second'],
        ['peerctl send bob --note "for Monday" -- -odd-name', '-- ends the options'],
        ["peerctl send bob a.iso --json | jq -r 'select(.event == \"done\").savedAs[]'", 'where it was saved'],
      )}\n${peerHelp}${details}`,
    )
    .action(
      run(async (context, peers: string, paths: string[], { detach = false, dryRun: isDry = false, conflict, note, limitRate }: Options) => {
        if (isDry && detach) throw new PeerdError('invalid_argument', '--dry-run and --detach exclude each other', { hint: 'A dry run queues nothing: leave --detach away.' });
        const [{ sourcePaths }, { sendAndFollow, sendDetached }] = await Promise.all([import('../send/paths.ts'), import('../send/follow-send.ts')]);
        const request: SendRequest = {
          peers: receivers(peers),
          paths: sourcePaths(paths),
          ...(conflict === undefined ? {} : { conflict }),
          ...(note === undefined ? {} : { note }),
          ...(limitRate === undefined ? {} : { limitRate }),
        };
        if (isDry) return await (await import('../send/dry-run.ts')).dryRun(context, request);
        return await (detach ? sendDetached : sendAndFollow)(context, request);
      }),
    );
};

const receivers = (text: string): string[] => {
  const peers = text.split(',').map((peer) => peer.trim());
  if (peers.includes('')) throw new PeerdError('invalid_argument', 'a peer between the commas is empty', { hint: 'Write PEER,PEER without a comma at the end.' });
  return [...new Set(peers)];
};
