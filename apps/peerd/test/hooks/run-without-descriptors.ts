/** Run by run-command.test.ts: a program is to be run while this process may open nothing more. Says how that ended. */
import { closeSync, openSync } from 'node:fs';
import { runCommand } from '../../src/hooks/run-command.ts';

const open: number[] = [];
const fill = (): void => {
  try {
    for (;;) open.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
};

fill();
const running = runCommand({ words: ['/bin/true'], env: {}, timeoutMs: 20_000, signal: new AbortController().signal });
for (const descriptor of open) closeSync(descriptor);
const { outcome, detail } = await running;
process.stdout.write(`${outcome}: ${detail}\n`);
