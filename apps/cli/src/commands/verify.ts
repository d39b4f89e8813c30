import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { examples, nonEmpty, peerHelp } from './usage.ts';

export const addVerify = (program: Command, run: Run): void => {
  program
    .command('verify')
    .summary('compare a code with the person of a peer')
    .description(
      'Makes sure that nobody stands between you and a peer: both persons run it, compare the code that it shows over another channel, and say whether it is the same. ' +
        'When both say yes, the peer is verified at both ends. It takes at most 10 minutes; Ctrl-C ends it at both ends.',
    )
    .addArgument(createArgument('<PEER>', 'with whom').argParser(nonEmpty))
    .addHelpText(
      'after',
      `${examples(['peerctl verify bob', 'while bob runs `peerctl verify alice`'], ['peerctl --json verify bob', 'one event per line; answer yes or no on the standard input'])}\n${peerHelp}`,
    )
    .action(run(async (context, peer: string) => (await import('../verify/verify-peer.ts')).verifyPeer(context, peer)));
};
