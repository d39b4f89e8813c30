import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodes } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { cliDocs } from '../../../scripts/cli-docs.ts';
import { createProgram } from '../src/program.ts';

const read = (path: string): Promise<string> => readFile(join(import.meta.dirname, '../../..', path), 'utf8');

test('docs/cli.md is what `pnpm docs:cli` writes, and names the global options', async () => {
  const text = await read('docs/cli.md');
  expect(text).toBe(cliDocs(text));
  const { options } = createProgram(() => async () => {});
  for (const { long } of options) expect(text).toContain(`\`${long}`);
});

test('docs/cli.md: what people wrote about a command that is gone is not lost silently', async () => {
  const text = await read('docs/cli.md');
  expect(() => cliDocs(text.replace('<!-- by hand: whoami -->', '<!-- by hand: whoareyou -->'))).toThrow(/no command whoareyou/);
});

test('docs/cli.md lists every exit code', async () => {
  const text = await read('docs/cli.md');
  const listed = new Set([...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code)));
  expect(listed).toEqual(new Set([0, ...Object.values(errorCodes).map(({ exit }) => exit)]));
});
