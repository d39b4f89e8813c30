import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { pausedBy } from '../send/words.ts';
import { peerLabel } from '../ui/labels.ts';
import { examples, idHelp, nonEmpty } from './usage.ts';

export const addResume = (program: Command, run: Run): void => {
  program
    .command('resume')
    .summary('go on with a transfer that was paused here')
    .description('Ends the pause of this side. What has arrived already is not sent again. If the other side holds the transfer too, it waits for that.')
    .addArgument(createArgument('<ID>', 'which transfer').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl resume 01jd…', 'go on where it was'])}\n${idHelp}`)
    .action(
      run(async ({ client, output, signal }, id: string) => {
        const answer = await client.resume(id, signal);
        if (output.json) return output.document(answer);
        const { transfer, state } = answer;
        const still = transfer.state === 'paused' ? ` (${pausedBy(transfer)})` : '';
        output.line(`${state === 'resumed' ? 'resumed' : 'was not paused here:'} ${transfer.id} ${transfer.direction === 'send' ? 'to' : 'from'} ${peerLabel(transfer.peer)}${still}`);
      }),
    );
};
