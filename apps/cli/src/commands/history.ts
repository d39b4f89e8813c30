import type { HistoryQuery } from '@peerd/protocol';
import { type Command, createOption } from 'commander';
import type { Run } from '../context.ts';
import { examples, nonEmpty, pageHelp, pageLimit, peerHelp, wholeNumber } from './usage.ts';

export const addHistory = (program: Command, run: Run): void => {
  program
    .command('history')
    .summary('list transfers that are over, newest first')
    .description('Lists what was sent and received, or was not: transfers that ended, the newest first, with their final names and whether there is a signed receipt. They are kept for 30 days.')
    .addOption(createOption('--peer <PEER>', 'only with this peer').argParser(nonEmpty))
    .addOption(createOption('--state <STATE>', 'only those that ended so').choices(['done', 'rejected', 'cancelled', 'failed']))
    .addOption(createOption('--offset <N>', 'begin with this transfer, counted from 0').argParser(wholeNumber(0, 1_000_000_000)))
    .addOption(createOption('--limit <N>', `transfers in one page (${pageLimit})`).argParser(wholeNumber(1, 1_000)))
    .addHelpText(
      'after',
      `${examples(['peerctl history', 'the newest ones'], ['peerctl history --peer bob --state failed', 'what did not go to or come from bob'], ["peerctl history --json | jq -r '.transfers[].savedAs[]'", 'where everything went'])}\n${peerHelp}${pageHelp}`,
    )
    .action(
      run(async ({ client, output, signal }, query: HistoryQuery) => {
        const page = await client.history(query, signal);
        if (output.json) return output.document(page);
        const { historyTable } = await import('../ui/history-table.ts');
        for (const line of historyTable(page, query, output.columns(), output.colors, Date.now())) output.line(line);
      }),
    );
};
