/** magic-wormhole with a mailbox server of its own on loopback; content goes straight from one end to the other. */
import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { programPath } from '../measure/programs.ts';
import { freePort, Server } from '../measure/server.ts';
import { timed } from '../measure/timed.ts';
import { addUsage } from '../measure/usage.ts';
import { bothEnds } from './both-ends.ts';
import type { Tool } from './tool.ts';

export const wormhole: Tool = {
  name: 'magic-wormhole',
  needs: ['wormhole', 'twist'],
  handles: ['file', 'tree'],
  async open({ directory, signal }) {
    const destination = join(directory, 'in');
    await mkdir(destination);
    const port = await freePort();
    const env = { ...process.env, HOME: directory };
    const mailbox = await Server.start({
      label: 'wormhole-mailbox', port, signal, env,
      argv: [programPath('twist'), 'wormhole-mailbox', `--channel-db=${join(directory, 'mailbox.sqlite')}`, `--port=tcp:${port}:interface=127.0.0.1`],
    });
    // No transit relay: an address where nobody answers, instead of the public one.
    const common = [programPath('wormhole'), '--relay-url', `ws://127.0.0.1:${port}/v1`, '--transit-helper', `tcp:127.0.0.1:${await freePort()}`];
    return {
      destination,
      copy: async ({ source, signal: stop }) => {
        const code = `${randomInt(1, 1e6)}-bench-${randomInt(1e9)}`;
        const options = { signal: stop, env };
        const { result, usage } = await mailbox.during(() =>
          timed(() =>
            bothEnds(
              { ...options, label: 'wormhole (sender)', argv: [...common, 'send', '--hide-progress', '--code', code, source] },
              { ...options, label: 'wormhole (receiver)', argv: [...common, 'receive', '--hide-progress', '--accept-file', '-o', join(destination, basename(source)), code] },
            )));
        return { seconds: result.seconds, ...addUsage(result, usage) };
      },
      [Symbol.asyncDispose]: () => mailbox[Symbol.asyncDispose](),
    };
  },
};
