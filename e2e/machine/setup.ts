/** Before the tests on a machine of their own: its image and the release archive of this checkout, or the reason why not. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why there is no machine for tests here. */
    noMachine: string | undefined;
    machineImage: string;
    /** Path of the archive that `pnpm package` made. */
    releaseArchive: string;
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Prepared {
  readonly noMachine: string | undefined;
  readonly machineImage: string;
  readonly releaseArchive: string;
  readonly directory: string | undefined;
}

const prepare = async (): Promise<Prepared> => {
  let machineImage: string;
  try {
    machineImage = (await promisify(execFile)('e2e/machine/image.sh', { cwd: root })).stdout.trim();
  } catch (error) {
    // Anything else is a defect of ours.
    if ((error as { code?: unknown }).code !== 77) throw error;
    const noMachine = (error as { stderr: string }).stderr.trim().split('\n').at(-1);
    return { noMachine, machineImage: '', releaseArchive: '', directory: undefined };
  }
  const directory = await mkdtemp(join(tmpdir(), 'peerd-release-'));
  const { stdout } = await promisify(execFile)('scripts/package/package.sh', ['--out', directory], { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  return { noMachine: undefined, machineImage, releaseArchive: stdout.trim().split('\n').at(-1) ?? '', directory };
};

// Several projects need the same, and their setups run in one process.
const shared = globalThis as { peerdMachine?: Promise<Prepared>; peerdMachineUsers?: number };

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  shared.peerdMachineUsers = (shared.peerdMachineUsers ?? 0) + 1;
  const { noMachine, machineImage, releaseArchive, directory } = await (shared.peerdMachine ??= prepare());
  project.provide('noMachine', noMachine);
  project.provide('machineImage', machineImage);
  project.provide('releaseArchive', releaseArchive);
  return async () => {
    shared.peerdMachineUsers = (shared.peerdMachineUsers ?? 0) - 1;
    if (shared.peerdMachineUsers > 0) return;
    delete shared.peerdMachine;
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  };
};
