import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Identity, loadIdentity } from '@peerd/service';
import { onTestFinished } from 'vitest';
import { createRendezvousServer, type RendezvousServer, type RendezvousSettings } from '../../src/rendezvous.ts';
import type { Clock } from '../../src/clock.ts';

/** Gone when the test is over. */
export const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'rendezvous-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

export interface TestServer extends RendezvousServer {
  readonly stateDir: string;
  /** GET on the admin port. */
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; body: unknown }>;
  /** The value of a metric, with its labels as Prometheus writes them; 0 when it is absent. */
  metric(name: string): Promise<number>;
}

/** A rendezvous in this process, on free ports of loopback. */
export const startServer = async (settings: Partial<RendezvousSettings> = {}, clock?: Clock): Promise<TestServer> => {
  const stateDir = settings.stateDir ?? (await temporaryDirectory());
  const server = await createRendezvousServer(
    {
      listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 }, maxPeers: 100, maxPendingPerAddress: 64, allowHost: [], logLevel: 'silent',
      ...settings, stateDir,
    },
    { logger: createLogger('rendezvous', 'silent'), env: {}, ...(clock ? { clock } : {}) },
  );
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= server.stop());
  onTestFinished(stop);
  return {
    ...server,
    stop,
    stateDir,
    get: async (path, headers = {}) => {
      const response = await fetch(`http://${server.admin}${path}`, { headers: { connection: 'close', ...headers } });
      return { status: response.status, body: await response.json() };
    },
    metric: async (name) => {
      const response = await fetch(`http://${server.admin}/metrics`, { headers: { connection: 'close' } });
      const line = (await response.text()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.split(' ').at(-1));
    },
  };
};

export const newIdentity = async (): Promise<Identity> => loadIdentity(await temporaryDirectory());
