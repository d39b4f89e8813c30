import type { CompressSetting, ConflictPolicy, SendRequest } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { globProblem } from '@peerd/protocol/glob';
import { type Command, createArgument, createOption, InvalidArgumentError } from 'commander';
import type { Run } from '../context.ts';
import { rate } from './amounts.ts';
import { examples, nonEmpty, peerHelp } from './usage.ts';

interface Options {
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly conflict?: ConflictPolicy;
  readonly note?: string;
  readonly limitRate?: number;
  readonly name?: string;
  readonly id?: string;
  readonly compress?: CompressSetting;
  readonly priority?: 'low' | 'normal' | 'high';
  readonly exclude?: string[];
  readonly include?: string[];
}

const maxKey = 128;

const filterHelp = `
GLOB: * and ? stand for characters of one name, ** for directories too; [a-z] and
{a,b} work as in a shell. Without a slash a GLOB is compared with every name on the
way, also with the one of PATH itself; with a slash with the path below PATH. A slash
at its end means: only directories. What --exclude fits is left out, a directory with
all that is in it. With --include only what fits is sent, or lies in a directory that
fits, and the directories that lead there. --exclude wins.

Content is compressed on its way while that makes it arrive sooner: over lines that are
slower than compressing, and as long as it shrinks. --compress off leaves it alone.

What peerd may not read, and you may, is uploaded to peerd's spool first, and so is
standard input; it stays there until the transfer is over.`;

const details = `
Without --detach the command returns when every receiver has verified the content
and placed it under its final name. Ctrl-C on a terminal asks whether to cancel the
transfer or to detach from it; elsewhere it detaches.

Exit codes: 0 all arrived, 1 failed, 3 peerd unreachable, 4 no such peer,
5 rejected, 6 cancelled, 7 no space at the receiver or in the spool, 8 trust refused,
130 interrupted. With several receivers: the first one that is not 0.`;

export const addSend = (program: Command, run: Run): void => {
  program
    .command('send')
    .summary('send files and directories to peers')
    .description('Sends files, directories and symbolic links to one or several peers. Each receiver decides whether to take them.')
    .addArgument(createArgument('<PEER[,PEER...]>', 'whom to send to').argParser(nonEmpty))
    .argument('<PATH...>', 'what to send; - is standard input, as one file')
    .option('--detach', 'return as soon as the transfer is queued')
    .option('--dry-run', 'say what would be sent, and what of it is new, same or in conflict at the receivers')
    .addOption(createOption('--conflict <POLICY>', 'what to do when a name exists at the receiver (default: rename)').choices(['rename', 'fail', 'overwrite', 'skip'] satisfies ConflictPolicy[]))
    .option('--note <TEXT>', 'words that the receiver sees with the offer')
    .addOption(createOption('--name <NAME>', 'the name at the receiver, for a single path (of -: stdin)').argParser(nonEmpty))
    .addOption(createOption('--id <KEY>', 'the same key to the same peer is the same transfer: repeat it safely').argParser(sendKey))
    .addOption(createOption('--exclude <GLOB>', 'leave out what fits; may be repeated').argParser(globs))
    .addOption(createOption('--include <GLOB>', 'send only what fits; may be repeated').argParser(globs))
    .addOption(createOption('--limit-rate <RATE>', 'bytes per second at most, to each peer, such as 500K or 2.5M').argParser(rate))
    .addOption(createOption('--priority <PRIORITY>', 'which content goes first when not all can flow at once (default: normal)').choices(['low', 'normal', 'high']))
    .addOption(createOption('--compress <WHEN>', 'compress where that makes it arrive sooner, or never (default: auto)').choices(['auto', 'off'] satisfies CompressSetting[]))
    .addHelpText(
      'after',
      `${examples(
        ['peerctl send bob report.pdf', 'one file; wait until it has arrived'],
        ['peerctl send bob,carol photos/ notes.txt', 'the same to two peers'],
        ['peerctl send bob disk.img --detach', 'queue it and return'],
        ['peerctl send bob photos --dry-run', 'what would be sent, and what bob has of it'],
        ['tar c photos | peerctl send bob - --name photos.tar', 'what a program writes'],
        ["peerctl send bob src --exclude .git --exclude '*.o'", 'without some of it'],
        ['peerctl send bob dump.sql --id nightly-2026-11-22', 'from a script that may run again'],
        ['peerctl send bob disk.img --limit-rate 2M', 'leave room on the line: 2 MiB each second'],
        ['peerctl send bob --note "for Monday" -- -odd-name', '-- ends the options'],
        ["peerctl send bob a.iso --json | jq -r 'select(.event == \"done\").savedAs[]'", 'where it was saved'],
      )}\n${peerHelp}${filterHelp}${details}`,
    )
    .action(
      run(async (context, peers: string, paths: string[], { detach = false, dryRun: isDry = false, conflict, note, limitRate, name, id, priority, compress, exclude, include }: Options) => {
        if (isDry && detach) throw new PeerdError('invalid_argument', '--dry-run and --detach exclude each other', { hint: 'A dry run queues nothing: leave --detach away.' });
        const [{ sourcePaths }, { sendAndFollow, sendDetached }] = await Promise.all([import('../send/paths.ts'), import('../send/follow-send.ts')]);
        const names = receivers(peers);
        const stdin = paths.length === 1 && paths[0] === '-';
        if (isDry && stdin) throw new PeerdError('invalid_argument', 'a dry run of standard input would have to read it', { hint: 'Leave --dry-run away, or name a file.' });
        if (name !== undefined && paths.length > 1) throw new PeerdError('invalid_argument', `--name is for a single path, and there are ${paths.length}`, { hint: 'Send them one after the other, or leave out --name.' });
        const request: SendRequest = {
          peers: names,
          ...(stdin ? { paths: [], spools: [await (await import('../send/standard-input.ts')).spoolStandardInput(context, name)] } : { paths: sourcePaths(paths) }),
          ...(name === undefined ? {} : { name }),
          ...(id === undefined ? {} : { key: id }),
          ...(priority === undefined ? {} : { priority }),
          ...(compress === undefined ? {} : { compress }),
          ...(exclude === undefined ? {} : { exclude }),
          ...(include === undefined ? {} : { include }),
          ...(conflict === undefined ? {} : { conflict }),
          ...(note === undefined ? {} : { note }),
          ...(limitRate === undefined ? {} : { limitRate }),
        };
        if (isDry) return await (await import('../send/dry-run.ts')).dryRun(context, request);
        return await (detach ? sendDetached : sendAndFollow)(context, request);
      }),
    );
};

const sendKey = (text: string): string => {
  if (text === '' || text.length > maxKey) throw new InvalidArgumentError(`A key has 1 to ${maxKey} characters.`);
  return text;
};

const globs = (text: string, before: string[] | undefined): string[] => {
  const problem = globProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem.replace(/^i/, 'I')}.`);
  return [...(before ?? []), text];
};

const receivers = (text: string): string[] => {
  const peers = text.split(',').map((peer) => peer.trim());
  if (peers.includes('')) throw new PeerdError('invalid_argument', 'a peer between the commas is empty', { hint: 'Write PEER,PEER without a comma at the end.' });
  return [...new Set(peers)];
};
