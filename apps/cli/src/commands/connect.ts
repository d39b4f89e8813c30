import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { peerWithId } from '../ui/labels.ts';
import { examples, nonEmpty, peerHelp } from './usage.ts';

export const addConnect = (program: Command, run: Run): void => {
  program
    .command('connect')
    .summary('bring up a link to a peer')
    .description('Asks for an introduction, dials the peer and returns when the link is up. The peer becomes a contact: its key is pinned.')
    .addArgument(createArgument('<PEER>', 'whom to connect to').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl connect bob', 'wait until the link to bob is up'], ['peerctl connect bob~k3f9', 'the bob whose id begins with k3f9'])}\n${peerHelp}`)
    .action(
      run(async ({ client, output, signal }, peer: string) => {
        const answer = await client.connect(peer, signal);
        if (output.json) return output.document(answer);
        for (const warning of answer.warnings) output.warn(warning);
        output.line(`${answer.state === 'linked' ? 'linked' : 'already linked'} with ${peerWithId(answer.peer)} at ${answer.address}`);
      }),
    );
};
