import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { peerLabel, peerWithId } from '../ui/labels.ts';
import { examples, idHelp, nonEmpty } from './usage.ts';

export const addReject = (program: Command, run: Run): void => {
  program
    .command('reject')
    .summary('refuse what waits in the inbox')
    .description('Refuses an offer; the sender is told, with the reason if there is one. Or refuses an introduction, and further ones of that peer for 7 days.')
    .addArgument(createArgument('<ID>', 'which offer or introduction').argParser(nonEmpty))
    .option('--reason <TEXT>', 'what the sender is told')
    .addHelpText('after', `${examples(['peerctl reject 01jd…', 'refuse it'], ['peerctl reject 01jd… --reason "too big, use the NAS"', 'and say why'])}\n${idHelp}`)
    .action(
      run(async ({ client, output, signal }, id: string, { reason }: { reason?: string }) => {
        const answer = await client.reject(id, reason === undefined ? {} : { reason }, signal);
        if (output.json) return output.document(answer);
        if ('introduction' in answer) return output.line(`rejected the introduction of ${peerWithId(answer.introduction.from)}`);
        output.line(`${answer.state === 'rejected' ? 'rejected' : 'was already rejected:'} ${answer.transfer.id} from ${peerLabel(answer.transfer.peer)}`);
      }),
    );
};
