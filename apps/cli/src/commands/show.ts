import type { ShowQuery } from '@peerd/protocol';
import { type Command, createArgument, createOption } from 'commander';
import type { Run } from '../context.ts';
import { absolutePath, examples, idHelp, nonEmpty, wholeNumber } from './usage.ts';

/** Files in one page when it is shown to a person. */
const screenLimit = 100;

export const addShow = (program: Command, run: Run): void => {
  program
    .command('show')
    .summary('show one transfer or offer with its files')
    .description('Shows a transfer or an offer: its state, its files with the names under which they were saved, and what its chunks did. The files come in pages. Of an offer, each file is compared with what is where it would go: new, same (size and time are equal) or conflict; and what wants a look is said.')
    .addArgument(createArgument('<ID>', 'which transfer').argParser(nonEmpty))
    .option('--to <DIR>', 'compare an offer with this directory instead of the download directory')
    .addOption(createOption('--offset <N>', 'begin with this entry, counted from 0').argParser(wholeNumber(0, 1_000_000_000)))
    .addOption(createOption('--limit <N>', 'entries in one page (100 for a person)').argParser(wholeNumber(1, 10_000)))
    .addHelpText(
      'after',
      `${examples(['peerctl show 01jd…', 'state and first 100 files'], ['peerctl show 01jd… --offset 100', 'the next page'], ['peerctl show 01jd… --to ~/photos', 'what an offer would mean there'], ["peerctl show 01jd… --json | jq '.chunks'", 'what was sent, reused, written again'])}\n${idHelp}`,
    )
    .action(
      run(async ({ client, output, signal }, id: string, { offset, limit, to }: ShowQuery) => {
        const directory = to === undefined ? {} : { to: absolutePath(to, 'Choose a directory whose name is valid UTF-8.') };
        const query = { ...directory, ...(offset === undefined ? {} : { offset }), ...(limit === undefined ? (output.json ? {} : { limit: screenLimit }) : { limit }) };
        const detail = await client.transfer(id, query, signal);
        if (output.json) return output.document(detail);
        const { showLines } = await import('../ui/show-view.ts');
        for (const line of showLines(detail, output.columns(), output.colors, Date.now())) output.line(line);
      }),
    );
};
