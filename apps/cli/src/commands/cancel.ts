import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { peerLabel } from '../ui/labels.ts';
import { examples, idHelp, nonEmpty } from './usage.ts';

export const addCancel = (program: Command, run: Run): void => {
  program
    .command('cancel')
    .summary('cancel a transfer in either direction')
    .description('Ends a transfer that is not finished, at both ends. What had arrived of it is removed.')
    .addArgument(createArgument('<ID>', 'which transfer').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl cancel 01jd…', 'end this transfer'])}\n${idHelp}`)
    .action(
      run(async ({ client, output, signal }, id: string) => {
        const answer = await client.cancel(id, signal);
        if (output.json) return output.document(answer);
        const { transfer, state } = answer;
        output.line(`${state === 'cancelled' ? 'cancelled' : 'was already cancelled:'} ${transfer.id} ${transfer.direction === 'send' ? 'to' : 'from'} ${peerLabel(transfer.peer)}`);
      }),
    );
};
