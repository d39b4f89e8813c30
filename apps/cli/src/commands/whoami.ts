import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { groupedId } from '../ui/ids.ts';
import { examples } from './usage.ts';

export const addWhoami = (program: Command, run: Run): void => {
  program
    .command('whoami')
    .summary('show name and id of this peer')
    .description('Shows the name and the id under which other peers know this peerd. The id is made from its key: compare it aloud to be sure of a peer.')
    .addHelpText('after', examples(['peerctl whoami', 'name, id and its short form'], ['peerctl whoami --json', '{"id":"…","shortId":"…","name":"alice"}']))
    .action(
      run(async ({ client, output, signal }) => {
        const me = await client.whoami(signal);
        if (output.json) return output.document(me);
        const { dim } = output.colors;
        output.line(`${dim('name')}      ${me.name}`);
        output.line(`${dim('id')}        ${groupedId(me.id)}`);
        output.line(`${dim('short id')}  ${me.shortId}`);
      }),
    );
};
