import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodes } from '@peerd/protocol';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../src/program.ts';

const read = (path: string): Promise<string> => readFile(join(import.meta.dirname, '../../..', path), 'utf8');
const program = createProgram(() => async () => {});
const flags = (command: Command): string[] => command.options.flatMap(({ long }) => (long === undefined ? [] : [long]));

test('docs/cli.md has a section for every command, with every option, and for no other', async () => {
  const text = await read('docs/cli.md');
  const sections = new Map(text.split(/^### `peerctl /m).slice(1).map((section) => [/^\w+/.exec(section)?.[0], section.split(/^## /m)[0] ?? '']));
  expect(new Set(sections.keys())).toEqual(new Set(program.commands.map((command) => command.name())));
  for (const command of program.commands) for (const flag of flags(command)) expect(sections.get(command.name())).toContain(flag);
  for (const flag of flags(program)) expect(text).toContain(`\`${flag}`);
});

test('docs/cli.md lists every exit code', async () => {
  const text = await read('docs/cli.md');
  const listed = new Set([...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code)));
  expect(listed).toEqual(new Set([0, ...Object.values(errorCodes).map(({ exit }) => exit)]));
});
