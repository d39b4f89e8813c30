import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { examples, idHelp, nonEmpty } from './usage.ts';

export const addWhy = (program: Command, run: Run): void => {
  program
    .command('why')
    .summary('say where the time of a transfer goes')
    .description('Says what holds up a transfer, or has held it up: a decision, a disk, the network. The figures are those of this side; the disk of the receiver is known at both. While the transfer runs they still grow.')
    .addArgument(createArgument('<ID>', 'which transfer').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl why 01jd…', 'a sentence, and the time per stage'], ["peerctl why 01jd… --json | jq -r '.bottleneck.what'", 'the bottleneck for a script'])}\n${idHelp}`)
    .action(
      run(async ({ client, output, signal }, id: string) => {
        const answer = await client.why(id, signal);
        if (output.json) return output.document(answer);
        const { whyLines } = await import('../ui/why-view.ts');
        for (const line of whyLines(answer, output.columns(), output.colors)) output.line(line);
      }),
    );
};
