/** What people use over ssh, each with the same sshd and cipher. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from '../measure/command.ts';
import { type Program, programPath } from '../measure/programs.ts';
import { Sshd } from './sshd.ts';
import type { Copy, Tool } from './tool.ts';

interface OverSsh {
  readonly name: string;
  readonly needs: readonly Program[];
  readonly handles: Tool['handles'];
  readonly argv: (copy: Copy, destination: string, config: string) => readonly string[];
}

const overSsh = ({ name, needs, handles, argv }: OverSsh): Tool => ({
  name,
  needs: ['ssh', 'ssh-keygen', 'sshd', ...needs],
  handles,
  async open({ directory, signal }) {
    const destination = join(directory, 'in');
    await mkdir(destination);
    const sshd = await Sshd.start(directory, signal);
    return {
      destination,
      copy: (copy) => sshd.run(name, argv(copy, destination, sshd.clientConfig), copy.signal),
      [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose](),
    };
  },
});

export const scp: Tool = overSsh({
  name: 'scp',
  needs: ['scp'],
  handles: ['file', 'tree'],
  argv: ({ source }, destination, config) => [programPath('scp'), '-q', '-r', '-F', config, source, `bench:${destination}/`],
});

export const rsyncSsh: Tool = overSsh({
  name: 'rsync over ssh',
  needs: ['rsync'],
  handles: ['file', 'tree'],
  argv: ({ source }, destination, config) => [programPath('rsync'), '-a', '-e', `${programPath('ssh')} -F ${config}`, source, `bench:${destination}/`],
});

export const tarSsh: Tool = overSsh({
  name: 'tar | ssh',
  needs: [],
  handles: ['file', 'tree'],
  argv: ({ source }, destination, config) =>
    pipeline('tar -c -C "$1" "$2" | "$3" -F "$4" bench tar -x -C "$5"', dirname(source), basename(source), programPath('ssh'), config, destination),
});
