/** rsync to its own daemon: plaintext, with its checksum of each file. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../measure/command.ts';
import { programPath } from '../measure/programs.ts';
import { freePort, Server } from '../measure/server.ts';
import { timed } from '../measure/timed.ts';
import { addUsage } from '../measure/usage.ts';
import type { Tool } from './tool.ts';

export const rsyncDaemon: Tool = {
  name: 'rsync daemon',
  needs: ['rsync'],
  handles: ['file', 'tree'],
  replaces: true,
  async open({ directory, signal }) {
    const destination = join(directory, 'in');
    await mkdir(destination);
    const config = join(directory, 'rsyncd.conf');
    // Without uid and gid a daemon that root started would write as nobody.
    const owner = process.getuid?.() === 0 ? 'uid = root\ngid = root\n' : '';
    await writeFile(config, `use chroot = no\n${owner}pid file = ${join(directory, 'pid')}\nlog file = ${join(directory, 'log')}\n[in]\npath = ${destination}\nread only = no\n`);
    const rsync = programPath('rsync');
    const port = await freePort();
    const server = await Server.start({
      label: 'rsync --daemon', port, signal, argv: [rsync, '--daemon', '--no-detach', `--config=${config}`, '--address=127.0.0.1', `--port=${port}`],
    });
    return {
      destination,
      copy: async ({ source, existing, signal: stop }) => {
        // Two files of the same size and second would be taken for equal.
        const argv = [rsync, '-a', ...(existing ? ['--ignore-times', '--whole-file'] : []), source, `rsync://127.0.0.1:${port}/in/`];
        const { result, usage } = await server.during(() => timed(() => runCommand({ label: 'rsync', argv, signal: stop })));
        return { seconds: result.seconds, ...addUsage(result, usage) };
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
