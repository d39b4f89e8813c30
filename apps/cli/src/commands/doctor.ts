import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { count } from '../ui/sizes.ts';
import { version } from '../version.ts';
import { examples } from './usage.ts';

const exitFailed = 1;
const exitUnreachable = 3;

const details = `
Exit codes: 0 nothing failed (there may be warnings), 1 a check failed,
3 peerd does not answer; then only what can be seen without it is checked.`;

export const addDoctor = (program: Command, run: Run): void => {
  program
    .command('doctor')
    .summary('find out what is wrong, and what to do about it')
    .description('Examines peerd and its surroundings: socket, service, settings, files, free space, addresses, rendezvous, clock and limits. Each check says ok, warn or fail, and what to do.')
    .addHelpText('after', `${examples(['peerctl doctor', 'every check with its result'], ["peerctl doctor --json | jq '.checks[] | select(.state != \"ok\")'", 'what is wrong, for a script'])}\n${details}`)
    .action(
      run(async ({ client, output, signal }) => {
        const { examine } = await import('../doctor/examine.ts');
        const { checks, reachable } = await examine(client, version(), signal);
        const failed = checks.filter(({ state }) => state === 'fail').length;
        if (output.json) output.document({ checks });
        else {
          const { doctorLines } = await import('../ui/doctor-view.ts');
          for (const line of doctorLines(checks, output.columns(), output.colors)) output.line(line);
          const warnings = checks.filter(({ state }) => state === 'warn').length;
          output.line();
          output.line(failed + warnings === 0 ? 'Nothing is wrong.' : `${count(failed, 'failure')}, ${count(warnings, 'warning')}.`);
        }
        return reachable ? (failed > 0 ? exitFailed : 0) : exitUnreachable;
      }),
    );
};
