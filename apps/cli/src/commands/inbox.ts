import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { examples } from './usage.ts';

export const addInbox = (program: Command, run: Run): void => {
  program
    .command('inbox')
    .summary('list offers that wait for your decision')
    .description('Lists what peers want to send to you and who asks to be introduced. Nothing of an offer is in the download directory before you accept it.')
    .addHelpText(
      'after',
      examples(
        ['peerctl inbox', 'a table of the offers'],
        ['peerctl show 01jd…', 'the files of one of them'],
        ['peerctl accept 01jd…', 'let it come'],
        ["peerctl inbox --json | jq -r '.offers[].id'", 'ids for a script'],
      ),
    )
    .action(
      run(async ({ client, output, signal }) => {
        const inbox = await client.inbox(signal);
        if (output.json) return output.document(inbox);
        const { inboxLines } = await import('../ui/inbox-view.ts');
        for (const line of inboxLines(inbox, output.columns(), output.colors, Date.now())) output.line(line);
      }),
    );
};
