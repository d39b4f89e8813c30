/** croc through a relay of its own on loopback. At each start it looks up the name of its public relay, which it then doesn't use. */
import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { programPath } from '../measure/programs.ts';
import { freePort, Server } from '../measure/server.ts';
import { timed } from '../measure/timed.ts';
import { addUsage } from '../measure/usage.ts';
import { bothEnds } from './both-ends.ts';
import type { Tool } from './tool.ts';

/** Of `127.0.0.1` the relay makes all addresses. */
const host = '127.0.0.2';
/** One to meet, four for content: as many as it uses by default. */
const ports = 5;

export const croc: Tool = {
  name: 'croc',
  needs: ['croc'],
  handles: ['file', 'tree'],
  async open({ directory, signal }) {
    const [destination, home] = [join(directory, 'in'), join(directory, 'home')];
    await Promise.all([mkdir(destination), mkdir(home)]);
    const program = programPath('croc');
    const numbers: number[] = [];
    while (numbers.length < ports) numbers.push(await freePort());
    const [port = 0] = numbers;
    const env = { ...process.env, HOME: home };
    const server = await Server.start({ label: 'croc relay', host, port, signal, env, argv: [program, 'relay', '--host', host, '--ports', numbers.join(',')] });
    const common = ['--yes', '--ignore-stdin', '--disable-clipboard', '--relay', `${host}:${port}`];
    return {
      destination,
      copy: async ({ source, signal: stop }) => {
        const options = { signal: stop, env: { ...env, CROC_SECRET: `${randomInt(1_000, 9_999)}-bench-${randomInt(1e9)}` } };
        const { result, usage } = await server.during(() =>
          timed(() =>
            bothEnds(
              { ...options, label: 'croc (sender)', argv: [program, ...common, 'send', '--no-local', source] },
              // With the address given, nobody is looked for by multicast.
              { ...options, label: 'croc (receiver)', argv: [program, ...common, '--ip', `${host}:${port}`, '--out', destination] },
            )));
        return { seconds: result.seconds, ...addUsage(result, usage) };
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
