/** Before the tests on a machine of their own: its images, with the release of this checkout, or the reason why not. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why there is no machine for tests here. */
    noMachine: string | undefined;
    /** `unpacked`: the archive of `pnpm package` is unpacked there; `installed`: by root, too. */
    machineImages: { unpacked: string; installed: string };
    /** The directory on those machines in which the archive was unpacked. */
    releaseDirectory: string;
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Prepared {
  readonly noMachine: string | undefined;
  readonly machineImages: { unpacked: string; installed: string };
  readonly releaseDirectory: string;
}

const run = async (command: string, ...args: string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd: root, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, DOCKER_BUILDKIT: '0' } })).stdout.trim();

const prepare = async (): Promise<Prepared> => {
  let machine: string;
  try {
    machine = await run('e2e/machine/image.sh');
  } catch (error) {
    // Anything else is a defect of ours.
    if ((error as { code?: unknown }).code !== 77) throw error;
    return { noMachine: (error as { stderr: string }).stderr.trim().split('\n').at(-1), machineImages: { unpacked: '', installed: '' }, releaseDirectory: '' };
  }
  const directory = await mkdtemp(join(tmpdir(), 'peerd-release-'));
  try {
    const archive = basename((await run('scripts/package/package.sh', '--out', directory)).split('\n').at(-1) ?? '');
    await writeFile(join(directory, 'Dockerfile'), `FROM ${machine} AS unpacked\nADD ${archive} /opt/\nFROM unpacked AS installed\nRUN /opt/peerd-*/install.sh\n`);
    const tag = randomBytes(4).toString('hex');
    const machineImages = { unpacked: `peerd-test-unpacked:${tag}`, installed: `peerd-test-installed:${tag}` };
    for (const [target, image] of Object.entries(machineImages)) await run('docker', 'build', '--quiet', '--target', target, '--tag', image, directory);
    return { noMachine: undefined, machineImages, releaseDirectory: `/opt/${basename(archive, '.tar.gz')}` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

// Several projects need the same, and their setups run in one process.
const shared = globalThis as { peerdMachine?: Promise<Prepared>; peerdMachineUsers?: number };

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  shared.peerdMachineUsers = (shared.peerdMachineUsers ?? 0) + 1;
  const { noMachine, machineImages, releaseDirectory } = await (shared.peerdMachine ??= prepare());
  project.provide('noMachine', noMachine);
  project.provide('machineImages', machineImages);
  project.provide('releaseDirectory', releaseDirectory);
  return async () => {
    shared.peerdMachineUsers = (shared.peerdMachineUsers ?? 0) - 1;
    if (shared.peerdMachineUsers > 0) return;
    delete shared.peerdMachine;
    if (noMachine === undefined) await run('docker', 'image', 'rm', ...Object.values(machineImages));
  };
};
