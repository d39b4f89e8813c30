import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text as readText } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';

const start = (mode: string): ChildProcess => {
  const child = fork(new URL('./run-daemon.ts', import.meta.url), [mode], { execArgv: ['--conditions=@peerd/source'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};
const exitOf = async (child: ChildProcess): Promise<unknown> => (await once(child, 'exit'))[0];

describe('the life of a daemon process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it in order, even if the signal comes twice at once', async (signal) => {
    const child = start('orderly');
    await once(child, 'message');
    const exited = exitOf(child);
    const stopped = once(child, 'message');
    child.kill(signal);
    child.kill(signal);
    expect(await stopped).toEqual(['stopped', undefined]);
    expect(await exited).toBe(0);
  });

  test('a later second signal ends what hangs', async () => {
    const child = start('hanging');
    await once(child, 'message');
    const stopping = once(child, 'message');
    child.kill('SIGTERM');
    await stopping;
    // Signals in a row until it is gone: only those within the first half second are taken for the same one.
    const again = setInterval(() => child.kill('SIGTERM'), 50);
    expect(await exitOf(child)).toBe(130);
    clearInterval(again);
  });

  test('a failure to start says what to do next, with the exit code of the error', async () => {
    const child = start('failing');
    const [text, code] = await Promise.all([readText(child.stderr as NonNullable<typeof child.stderr>), exitOf(child)]);
    expect(text).toBe('error: the state is locked\nhint: stop the other one\n');
    expect(code).toBe(1);
  });

  test('what the system refuses at the start is said with its path, and without a stack', async () => {
    const child = start('unusable');
    const [text, code] = await Promise.all([readText(child.stderr as NonNullable<typeof child.stderr>), exitOf(child)]);
    expect(text).toBe("error: ENOTDIR: not a directory, mkdir '/dev/null/state'\nhint: Look at this path: whether it exists, who owns it, and whether its file system is full or read-only.\n");
    expect(code).toBe(1);
  });

  test('a failure to stop is an exit code', async () => {
    const child = start('broken');
    await once(child, 'message');
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(1);
  });
});
