import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { peerWithId } from '../ui/labels.ts';
import { examples, nonEmpty, peerHelp } from './usage.ts';

export const addDisconnect = (program: Command, run: Run): void => {
  program
    .command('disconnect')
    .summary('close the link to a peer')
    .description('Closes the link to the peer and returns when it is closed. It is not dialled again until the next act, such as connect, send or chat.')
    .addArgument(createArgument('<PEER>', 'whose link to close').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl disconnect bob', 'close the link to bob'])}\n${peerHelp}`)
    .action(
      run(async ({ client, output, signal }, peer: string) => {
        const answer = await client.disconnect(peer, signal);
        if (output.json) return output.document(answer);
        output.line(answer.state === 'disconnected' ? `disconnected from ${peerWithId(answer.peer)}` : `there was no link to ${peerWithId(answer.peer)}`);
      }),
    );
};
