/** docker/compose.yaml is valid for Compose 1.29 and Compose 2, with and without its profile. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, inject, test } from 'vitest';
import { composeDirectory } from './harness/compose.ts';

const run = promisify(execFile);
const composes = inject('composes').map((words) => ({ name: words.join(' '), words }));

describe.each(['docker-compose', 'docker compose'])('%s', (name) => {
  const compose = composes.find((candidate) => candidate.name === name);
  beforeEach(({ skip }) => skip(!compose, `there is no ${name}`));

  const services = async (...options: string[]): Promise<string[]> => {
    const [command = '', ...words] = compose?.words ?? [];
    const { stdout } = await run(command, [...words, '-f', 'compose.yaml', ...options, 'config', '--services'], { cwd: composeDirectory });
    return stdout.trim().split('\n').sort();
  };

  test('takes the file', async () => {
    const peers = ['alice', 'bob', 'carol', 'dave', 'rendezvous'];
    expect(await services('--profile', 'observability')).toEqual([...peers, 'grafana', 'prometheus'].sort());
    // Compose 1.29 lists services of profiles that are off, too.
    expect(await services()).toEqual(expect.arrayContaining(peers));
  });
});
