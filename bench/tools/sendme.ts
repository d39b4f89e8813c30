/** sendme (QUIC, BLAKE3) from address to address, without relay and without any directory. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, runCommand } from '../measure/command.ts';
import { programPath } from '../measure/programs.ts';
import { timed } from '../measure/timed.ts';
import { addUsage } from '../measure/usage.ts';
import type { Tool } from './tool.ts';

const common = ['--relay', 'disabled', '--magic-ipv4-addr', '127.0.0.1:0', '--magic-ipv6-addr', '[::1]:0', '--no-progress'];

export const sendme: Tool = {
  name: 'sendme',
  needs: ['sendme'],
  handles: ['file', 'tree'],
  async open({ directory }) {
    // Both keep what they need in their working directory.
    const [destination, home, sending] = [join(directory, 'in'), join(directory, 'home'), join(directory, 'out')];
    await Promise.all([destination, home, sending].map((path) => mkdir(path)));
    const program = programPath('sendme');
    const env = { ...process.env, HOME: home };
    return {
      destination,
      async copy({ source, signal }) {
        let sender: Command | undefined;
        try {
          const sample = await timed(async () => {
            sender = new Command({ label: 'sendme (sender)', argv: [program, 'send', '--ticket-type', 'addresses', ...common, source], cwd: sending, env, signal });
            const [, ticket = ''] = await sender.says(/sendme receive (\w+)\s/);
            return runCommand({ label: 'sendme (receiver)', argv: [program, 'receive', ...common, ticket], cwd: destination, env, signal });
          });
          // It offers the file until somebody ends it.
          const usage = await sender?.interrupted();
          return { seconds: sample.seconds, ...(usage ? addUsage(usage, sample) : sample) };
        } finally {
          sender?.kill();
        }
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
