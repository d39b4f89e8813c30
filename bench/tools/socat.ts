/** `socat` with buffers of 1 MiB: its default of 8 KiB would be no match. Plaintext, unverified. */
import { basename, join } from 'node:path';
import { Command, runCommand } from '../measure/command.ts';
import { programPath } from '../measure/programs.ts';
import { timed } from '../measure/timed.ts';
import { addUsage } from '../measure/usage.ts';
import { openSimple } from './open-simple.ts';
import type { Tool } from './tool.ts';

const bufferBytes = String(1024 * 1024);

export const socat: Tool = {
  name: 'socat',
  needs: ['socat'],
  handles: ['file'],
  open: (place) =>
    openSimple(place, async ({ source, signal }, destination) => {
      const program = programPath('socat');
      const target = join(destination, basename(source));
      const receiver = new Command({ label: 'socat (receiver)', argv: [program, '-u', '-d', '-d', '-b', bufferBytes, 'TCP-LISTEN:0,bind=127.0.0.1', `OPEN:${target},creat,trunc`], signal });
      try {
        const [, port = ''] = await receiver.says(/listening on AF=2 127\.0\.0\.1:(\d+)/);
        return await timed(async () => {
          const sent = await runCommand({ label: 'socat (sender)', argv: [program, '-u', '-b', bufferBytes, `OPEN:${source},rdonly`, `TCP:127.0.0.1:${port}`], signal });
          return addUsage(sent, await receiver.finished());
        });
      } finally {
        receiver.kill();
      }
    }),
};
