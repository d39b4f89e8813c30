import type { TransfersResponse } from '@peerd/protocol';
import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { examples } from './usage.ts';

export const addTransfers = (program: Command, run: Run): void => {
  program
    .command('transfers')
    .summary('list transfers in both directions')
    .description('Lists what is sent and received, with state and progress; finished transfers too.')
    .option('--watch', 'go on and show every change; with --json one document per change')
    .addHelpText(
      'after',
      examples(['peerctl transfers', 'a table'], ['peerctl transfers --watch', 'a live table, until Ctrl-C'], ["peerctl transfers --json | jq '.transfers[] | select(.state == \"failed\")'", 'what failed, and why']),
    )
    .action(
      run(async (context, { watch = false }: { watch?: boolean }) => {
        const { client, output, signal } = context;
        if (output.json && !watch) return output.document(await client.transfers(signal));
        const { transfersTable } = await import('../ui/transfers-table.ts');
        const view = (document: TransfersResponse, columns: number | undefined): string[] => transfersTable(document, columns, output.colors, Date.now());
        if (watch) {
          const [{ watchDocument }, { reduceTransfers }] = await Promise.all([import('../watch/watch.ts'), import('../watch/reduce-transfers.ts')]);
          return await watchDocument(context, { load: () => client.transfers(signal), reduce: reduceTransfers, view });
        }
        for (const line of view(await client.transfers(signal), output.columns())) output.line(line);
      }),
    );
};
