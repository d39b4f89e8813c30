/** The programs of a developer, as one starts them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const programs = { faults: 'e2e/faults/main.ts', soak: 'e2e/soak/main.ts', abuse: 'e2e/hostile/abuse/main.ts', bench: 'bench/main.ts', simulate: 'simulation/main.ts', fuzz: 'fuzz/main.ts' } as const;
const names = Object.keys(programs) as (keyof typeof programs)[];

const start = (name: keyof typeof programs, ...args: readonly string[]) => {
  const program = fileURLToPath(new URL(`../../${programs[name]}`, import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@peerd/source', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

const run = async (name: keyof typeof programs, ...args: readonly string[]) => {
  const child = start(name, ...args);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
  return { code, stdout, stderr };
};

describe.each(names)('pnpm %s', (name) => {
  test('--help says what it does, and the meaning of its exit codes', async () => {
    const { code, stdout, stderr } = await run(name, '--', '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: pnpm ${name} \\[options\\]`));
    expect(stdout).toContain('130 interrupted');
  });

  test('an unknown option: what is wrong, and where to read more', async () => {
    expect(await run(name, '--nonsense')).toEqual({ code: 2, stdout: '', stderr: `error: unknown option '--nonsense'\nhint: See \`pnpm ${name} --help\`.\n` });
  });
});

test.each([['fuzz', 'frame-codec'], ['simulate']] as const)('Ctrl-C ends pnpm %s', async (name, ...args) => {
  const child = start(name, ...args);
  // It says its seed once it is at work.
  await once(child.stdout, 'data');
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  expect(await exited).toEqual([130, null]);
});
