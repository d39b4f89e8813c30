/** Two hosts on one machine: network namespaces of our own with a veth pair between them. Needs root and iproute2. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Host extends AsyncDisposable {
  readonly address: string;
  /** Command in front of a program that runs on this host. */
  readonly prefix: readonly string[];
  /** Takes its cable out, or puts it in again. */
  plugged(isIn: boolean): Promise<void>;
}

/** Why namespaces can't be made here, or `undefined` when they can. */
export const namespacesUnavailable = async (): Promise<string | undefined> => {
  const name = `pe-probe-${randomBytes(3).toString('hex')}`;
  try {
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['netns', 'del', name]);
    return undefined;
  } catch (error) {
    return `network namespaces need root and iproute2: ${(error as Error).message.split('\n')[0]}`;
  }
};

/** Those that `twoHosts` has made, and the processes that did; none where there is no iproute2. */
export const namespacesOf = async (): Promise<{ name: string; pid: number }[]> => {
  const { stdout } = await run('ip', ['netns', 'list']).catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/^(pe-(\d+)-[0-9a-f]{6}-[ab])\b/gm)].map(([, name = '', pid]) => ({ name, pid: Number(pid) }));
};

/** Two hosts that reach one another, and nothing else. */
export const twoHosts = async (): Promise<[Host, Host]> => {
  const tag = randomBytes(3).toString('hex');
  // With the id of this process: whoever finds them later knows whether they are in use.
  const names = [`pe-${process.pid}-${tag}-a`, `pe-${process.pid}-${tag}-b`] as const;
  const addresses = ['10.213.77.1', '10.213.77.2'] as const;
  const made: string[] = [];
  const remove = async (name: string): Promise<void> => void (await run('ip', ['netns', 'del', name]));
  try {
    for (const name of names) {
      await run('ip', ['netns', 'add', name]);
      made.push(name);
    }
    await run('ip', ['link', 'add', `v${tag}a`, 'netns', names[0], 'type', 'veth', 'peer', 'name', `v${tag}b`, 'netns', names[1]]);
    for (const [index, side] of (['a', 'b'] as const).entries()) {
      const name = names[index] ?? '';
      await run('ip', ['-n', name, 'address', 'add', `${addresses[index]}/24`, 'dev', `v${tag}${side}`]);
      await run('ip', ['-n', name, 'link', 'set', `v${tag}${side}`, 'up']);
      await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    }
  } catch (error) {
    await Promise.allSettled(made.map(remove));
    throw error;
  }
  const host = (index: 0 | 1): Host => ({
    address: addresses[index],
    prefix: ['ip', 'netns', 'exec', names[index]],
    plugged: async (isIn) => void (await run('ip', ['-n', names[index], 'link', 'set', `v${tag}${index === 0 ? 'a' : 'b'}`, isIn ? 'up' : 'down'])),
    [Symbol.asyncDispose]: () => remove(names[index]),
  });
  return [host(0), host(1)];
};
