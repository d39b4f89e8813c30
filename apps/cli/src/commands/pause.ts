import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { pausedBy } from '../send/words.ts';
import { peerLabel } from '../ui/labels.ts';
import { examples, idHelp, nonEmpty } from './usage.ts';

export const addPause = (program: Command, run: Run): void => {
  program
    .command('pause')
    .summary('pause a transfer in either direction')
    .description('Holds a transfer at this side, also through restarts of peerd, until `peerctl resume`. Content flows while neither side holds it; the other side sees who does.')
    .addArgument(createArgument('<ID>', 'which transfer').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl pause 01jd…', 'let nothing of it flow'], ['peerctl transfers', 'shows who holds it'])}\n${idHelp}`)
    .action(
      run(async ({ client, output, signal }, id: string) => {
        const answer = await client.pause(id, signal);
        if (output.json) return output.document(answer);
        const { transfer, state } = answer;
        const still = transfer.state === 'paused' ? ` (${pausedBy(transfer)})` : '';
        output.line(`${state === 'paused' ? 'paused' : 'was already paused:'} ${transfer.id} ${transfer.direction === 'send' ? 'to' : 'from'} ${peerLabel(transfer.peer)}${still}`);
      }),
    );
};
