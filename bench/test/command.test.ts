import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Command, pipeline, runCommand } from '../measure/command.ts';
import { assertSame } from '../measure/correctness.ts';
import { findProgram } from '../measure/programs.ts';
import { writeTree } from '../workplace/sources.ts';

const never = new AbortController().signal;

describe('a measured command', () => {
  test('is measured with all that it starts', async () => {
    const { cpuSeconds, peaks } = await runCommand({ label: 'loops', argv: pipeline('for ((i = 0; i < 200000; i++)); do :; done | cat'), signal: never });
    if (findProgram('time')) {
      expect(cpuSeconds).toBeGreaterThan(0);
      expect(peaks).toEqual([{ process: 'loops', bytes: expect.any(Number) }]);
      expect(peaks[0]?.bytes).toBeGreaterThan(100_000);
    } else expect([cpuSeconds, peaks]).toEqual([undefined, []]);
  });

  test('that fails in any part of a pipeline tells its last words', async () => {
    await expect(runCommand({ label: 'a pipe', argv: pipeline('{ echo no such host >&2; exit 3; } | cat'), signal: never })).rejects.toThrow('a pipe ended with 3: no such host');
  });

  test('tells what it says, and that it ended without saying it', async () => {
    const command = new Command({ label: 'says', argv: pipeline('echo listening on 4711 >&2'), signal: never });
    expect((await command.says(/listening on (\d+)/))[1]).toBe('4711');
    await command.finished();
    await expect(new Command({ label: 'silent', argv: ['true'], signal: never }).says(/anything/)).rejects.toThrow('silent ended with 0');
  });

  test('is ended with all that it started, for the reason of the signal', async () => {
    const stop = new AbortController();
    const command = new Command({ label: 'waits', argv: pipeline('echo up; sleep 600 | sleep 600'), signal: stop.signal });
    await command.says(/up/);
    stop.abort(new Error('enough'));
    // Its output is open until the last of them is gone.
    await expect(command.finished()).rejects.toThrow('enough');
  });
});

describe('what arrived', () => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'pb-'))));
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('is compared byte by byte', async () => {
    const [one, other] = [join(directory, 'one'), join(directory, 'other')];
    await writeTree(one, { directories: 2, filesEach: 2, fileBytes: 100 }, never);
    await runCommand({ label: 'cp', argv: ['cp', '-a', one, other], signal: never });
    await assertSame(one, other, never);
    const changed = await readFile(join(other, 'd0001/f0001'));
    changed.writeUInt8(changed.readUInt8(99) ^ 1, 99);
    await writeFile(join(other, 'd0001/f0001'), changed);
    await expect(assertSame(one, other, never)).rejects.toThrow('what arrived is not what was sent');
    await expect(assertSame(join(one, 'd0001/f0001'), join(other, 'd0001/f0001'), never)).rejects.toThrow('what arrived is not what was sent');
    await rm(join(other, 'd0001/f0001'));
    await expect(assertSame(one, other, never)).rejects.toThrow('what arrived is not what was sent');
  });
});
