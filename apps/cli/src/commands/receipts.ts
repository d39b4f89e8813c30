import type { ReceiptsQuery, VerifyReceiptsResponse } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { type Command, createOption } from 'commander';
import type { Run } from '../context.ts';
import { examples, pageHelp, pageLimit, wholeNumber } from './usage.ts';

export const addReceipts = (program: Command, run: Run): void => {
  const receipts = program
    .command('receipts')
    .summary('list the receipts of transfers, and check them')
    .description('Lists the receipts: what the receivers of your transfers have signed, and what you have signed, newest first. They stand in a log to which entries are only ever appended; each names the one before.')
    .addOption(createOption('--offset <N>', 'begin with this entry, counted from 0').argParser(wholeNumber(0, 1_000_000_000)))
    .addOption(createOption('--limit <N>', `entries in one page (${pageLimit})`).argParser(wholeNumber(1, 1_000)))
    .addHelpText('after', `${examples(['peerctl receipts', 'the newest receipts'], ['peerctl receipts verify', 'check the whole log'], ["peerctl receipts --json | jq '.receipts[].transfer'", 'of which transfers there is proof'])}\n${pageHelp}`)
    .action(
      run(async ({ client, output, signal }, query: ReceiptsQuery) => {
        const page = await client.receipts(query, signal);
        if (output.json) return output.document(page);
        const { receiptsTable } = await import('../ui/receipts-table.ts');
        for (const line of receiptsTable(page, output.columns(), output.colors)) output.line(line);
      }),
    );
  receipts
    .command('verify')
    .summary('check every entry of the log of receipts')
    .description('Follows the log from its first entry: every link, every signature, and its end. Names the first entry that was removed, changed, reordered or cut off, and exits 1 then.')
    .addHelpText('after', examples(['peerctl receipts verify', 'valid, or what is wrong'], ['peerctl receipts verify --json', 'the same for a script']))
    .action(
      run(async ({ client, output, signal }) => {
        const answer = await client.verifyReceipts(signal);
        if (output.json) output.document(answer);
        if (answer.problem !== null) throw invalid(answer);
        if (!output.json) output.line(answer.entries === 0 ? 'no receipts yet' : `${output.colors.green('valid')}: ${answer.entries === 1 ? 'the only entry' : `all ${answer.entries} entries`} of ${answer.path}`);
      }),
    );
};

const invalid = ({ path, intact, problem }: VerifyReceiptsResponse): PeerdError =>
  new PeerdError('receipts_invalid', `the log of receipts is not as it was written: ${problem?.message ?? ''}`, {
    hint: `${intact === 0 ? 'No entry before it is there.' : `The ${intact === 1 ? 'entry' : `${intact} entries`} before it can be trusted.`} Compare ${path} with a backup; the other side of each transfer has its receipt too.`,
    details: { ...problem },
  });
