import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { groupedId } from '../ui/ids.ts';
import { examples, nonEmpty, peerHelp } from './usage.ts';

export const addTrust = (program: Command, run: Run): void => {
  program
    .command('trust')
    .summary('pin the key of a peer')
    .description('Makes a peer a contact: its key is pinned, and whoever bears its name with another key is refused. With ID@HOST:PORT no rendezvous is needed to reach it.')
    .addArgument(createArgument('<PEER|ID@HOST:PORT>', 'whom to trust').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl trust bob', 'pin the key of the bob in the roster'], ['peerctl trust k3f9…@192.0.2.7:12001', 'a peer that no rendezvous lists (ID in full)'])}\n${peerHelp}`)
    .action(
      run(async ({ client, output, signal }, peer: string) => {
        const answer = await client.trust({ peer }, signal);
        if (output.json) return output.document(answer);
        for (const warning of answer.warnings) output.warn(warning);
        output.line(`${answer.contact.name} is ${answer.state === 'pinned' ? 'now' : 'already'} a contact`);
        output.line(`id  ${groupedId(answer.contact.id)}`);
      }),
    );
};
