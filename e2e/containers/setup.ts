/** Before the container tests: the images of this checkout, or the reason why they can't run here. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

export interface Images {
  readonly BASE_IMAGE: string;
  readonly PEERD_IMAGE: string;
  readonly RENDEZVOUS_IMAGE: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Why there are no container tests on this machine. */
    noContainers: string | undefined;
    images: Images;
    /** Commands that are a Compose: `docker-compose`, `docker compose`. */
    composes: string[][];
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = async (command: string, ...args: string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd: root, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, DOCKER_BUILDKIT: '0' } })).stdout.trim();
const works = (command: string, ...args: string[]): Promise<boolean> => run(command, ...args).then(() => true, () => false);

export const setup = async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
  const composes = [];
  for (const compose of [['docker-compose'], ['docker', 'compose']]) if (await works(compose[0] ?? '', ...compose.slice(1), 'version')) composes.push(compose);
  const reason = !(await works('docker', 'info')) ? 'no Docker Engine answers' : composes.length === 0 ? 'there is no Docker Compose' : undefined;
  project.provide('composes', composes);
  project.provide('noContainers', reason === undefined ? undefined : `${reason} (docker/engine.sh installs and starts Debian's, as root)`);
  if (reason !== undefined) return undefined;

  const tag = randomBytes(4).toString('hex');
  const images = { BASE_IMAGE: process.env['BASE_IMAGE'] || (await run('docker/base-image.sh')), PEERD_IMAGE: `peerd-test:${tag}`, RENDEZVOUS_IMAGE: `rendezvous-test:${tag}` };
  await run('docker/stage.sh');
  const targets = { rendezvous: images.RENDEZVOUS_IMAGE, peerd: images.PEERD_IMAGE };
  for (const [target, image] of Object.entries(targets)) await run('docker', 'build', '--quiet', '--build-arg', `BASE_IMAGE=${images.BASE_IMAGE}`, '--target', target, '--tag', image, 'docker');
  project.provide('images', images);
  return async () => {
    await run('docker', 'image', 'rm', ...Object.values(targets));
  };
};
