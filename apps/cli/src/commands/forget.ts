import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { peerWithId } from '../ui/labels.ts';
import { count } from '../ui/sizes.ts';
import { examples, nonEmpty, peerHelp } from './usage.ts';

export const addForget = (program: Command, run: Run): void => {
  program
    .command('forget')
    .summary('drop a contact with all that was decided about it')
    .description(
      'Drops the contact, its pinned key, its verification, its policy and its addresses, ends the link with it, and drops messages that have not reached it. ' +
        'What was said stays in the history, as a stranger’s. It is refused while transfers with the peer are not over.',
    )
    .addArgument(createArgument('<PEER>', 'whom to forget').argParser(nonEmpty))
    .addHelpText('after', `${examples(['peerctl forget bob', 'bob is a stranger again'], ['peerctl policy bob block', 'to shut somebody out instead: forgetting ends a block'])}\n${peerHelp}`)
    .action(
      run(async ({ client, output, signal }, peer: string) => {
        const answer = await client.forget(peer, signal);
        if (output.json) return output.document(answer);
        const who = peerWithId(answer.peer);
        if (answer.state === 'already_forgotten') return output.line(`${who} was no contact and has no policy`);
        output.line(`forgot ${who}`);
        if (answer.droppedMessages > 0) output.line(`${count(answer.droppedMessages, 'message')} that had not reached it ${answer.droppedMessages === 1 ? 'was' : 'were'} dropped`);
      }),
    );
};
