import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = (script: URL): string[] => [process.execPath, '--conditions=@peerd/source', fileURLToPath(script)];
const words = program(new URL('./log-lines.ts', import.meta.url));

test('in a pipe: JSON, a line each', () => {
  const { stderr, stdout } = spawnSync(words[0] ?? '', words.slice(1), { encoding: 'utf8', env: {} });
  expect(stdout).toBe('');
  const lines = stderr.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([{ level: 30, program: 'peerd', peer: 'k3f9', msg: 'link up' }, { level: 50, token: '[secret]', err: { message: 'broken' }, msg: 'it went wrong' }, { msg: 'a peer said something' }, { msg: 'secrets' }, { msg: 'secrets of something' }]);
  expect(lines[1]).toMatchObject({ err: { type: 'Error', stack: expect.stringMatching(/^Error: broken\n {4}at .*log-lines\.ts/) as string } });
  expect(JSON.stringify(lines[2])).toContain('\\\\u{202e}');
  const hidden = Object.fromEntries(['key', 'secret', 'token', 'roomSecret', 'roomProof', 'authorization'].map((name) => [name, '[secret]']));
  expect(lines.slice(3)).toMatchObject([{ ...hidden, shown: 'shown 1' }, { of: { ...hidden, shown: 'shown 2' } }]);
  expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect((lines[2] as { err: { stack: string } }).err.stack).not.toMatch(/^ +at forged/m);
});

test('on a terminal: lines that a person reads', () => {
  const shown = (env: NodeJS.ProcessEnv): string => execFileSync('script', ['-qec', words.join(' '), '/dev/null'], { encoding: 'utf8', env: { PATH: process.env['PATH'], TERM: 'xterm-256color', ...env } });
  const plain = shown({ NO_COLOR: '1' });
  expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: link up \{"peer":"k3f9","address":"192\.0\.2\.7:1"\}\r?$/m);
  expect(plain).toMatch(/ERROR: it went wrong/);
  expect(plain).toContain('Error: broken');
  expect(plain).toContain('[secret]');
  expect(plain).toContain('shown 2');
  expect(plain).not.toContain('hidden');
  expect(plain).not.toContain('\u001b');
  expect(plain.replaceAll('\r\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(plain).not.toMatch(/^ +at forged/m);
  expect(plain).not.toContain('not shown');
  expect(shown({})).toContain('\u001b[');
});

test('on a full disk: the lines are lost, and nothing else', () => {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', 'exec "$@" 2>/dev/full', 'sh', ...program(new URL('./log-on.ts', import.meta.url))], { encoding: 'utf8', timeout: 20_000 });
  expect({ stdout, status }).toEqual({ stdout: 'went on\n', status: 0 });
});
