import type { PolicyRequest } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol/errors';
import { type Command, createArgument, createOption } from 'commander';
import type { Run } from '../context.ts';
import { peerWithId } from '../ui/labels.ts';
import { policyLines } from '../ui/policy-view.ts';
import { byteCount, timeToCome } from './amounts.ts';
import { absolutePath, examples, nonEmpty, peerHelp } from './usage.ts';

interface Options {
  readonly into?: string;
  readonly maxBytes?: number;
  readonly match?: string;
  readonly until?: number;
}

export const addPolicy = (program: Command, run: Run): void => {
  program
    .command('policy')
    .summary('say what happens to offers of a peer')
    .description(
      'Shows or sets what happens to the offers of one peer: a person is asked, they are accepted by themselves, or the peer is blocked: nothing of it is taken and nothing goes to it. ' +
        '`auto` may be bounded; what is outside of the bounds, and everything after they are used up or expired, waits in the inbox and says why.',
    )
    .addArgument(createArgument('<PEER>', 'whose offers').argParser(nonEmpty))
    .addArgument(createArgument('[POLICY]', 'the new policy; without it the present one is shown').choices(['ask', 'auto', 'block']))
    .option('--into <DIR>', 'auto: deliver there instead of into the download directory')
    .addOption(createOption('--max-bytes <SIZE>', 'auto: so much in all, such as 500M, 10G or 1.5GiB').argParser(byteCount))
    .option('--match <GLOB>', 'auto: only offers whose top-level names all match; * takes no leading dot')
    .addOption(createOption('--until <TIME>', 'auto: a duration such as 2h or 7d, or a time such as 2026-12-31T18:00').argParser(timeToCome(Date.now)))
    .addHelpText(
      'after',
      `${examples(
        ['peerctl policy bob', 'what holds now, and what is left of it'],
        ['peerctl policy bob auto', 'everything of bob is accepted by itself'],
        ["peerctl policy cam auto --into ~/cam --match '*.jpg' --max-bytes 10G --until 7d", 'only pictures, into that directory, for a week'],
        ['peerctl policy bob ask', 'a person decides again; also ends a block'],
        ['peerctl policy mallory block', 'nothing of it, and nothing to it'],
      )}\n${peerHelp}`,
    )
    .action(
      run(async ({ client, output, signal }, peer: string, kind: PolicyRequest['kind'] | undefined, options: Options) => {
        const request = kind === undefined ? undefined : { kind, ...scopeOf(options) };
        if (Object.keys(options).length > 0 && kind !== 'auto')
          throw new PeerdError('invalid_argument', '--into, --max-bytes, --match and --until go with `auto` only', { hint: `For example: peerctl policy ${peer} auto --until 7d` });
        const answer = request === undefined ? await client.policy(peer, signal) : await client.setPolicy(peer, request, signal);
        if (output.json) return output.document(answer);
        for (const warning of answer.warnings) output.warn(warning);
        for (const line of policyLines(peerWithId(answer.peer), answer.policy, output.colors, Date.now())) output.line(line);
      }),
    );
};

const scopeOf = ({ into, ...rest }: Options): Omit<PolicyRequest, 'kind'> => ({
  ...rest, ...(into === undefined ? {} : { into: absolutePath(into, 'Choose a directory whose name is valid UTF-8.') }),
});
