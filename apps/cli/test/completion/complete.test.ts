import { describe, expect, test } from 'vitest';
import { complete, type Completion, type Knowledge } from '../../src/completion/complete.ts';
import { peerCandidates } from '../../src/completion/knowledge.ts';
import { createProgram } from '../../src/program.ts';

const program = createProgram(() => async () => {});
const candidate = (value: string) => ({ value, description: '' });
const knowledge: Knowledge = {
  peers: async (command) => [candidate('bob'), candidate('carol'), candidate(`peer-for-${command}`)],
  ids: async (command) => [candidate(`id-for-${command}`)],
};
const at = (...words: string[]): Promise<Completion> => complete(program, words, knowledge);
const values = async (...words: string[]): Promise<string[]> => (await at(...words)).candidates.map(({ value }) => value);

describe('completion', () => {
  test('commands, with what they do', async () => {
    expect(await values('')).toEqual(expect.arrayContaining([...program.commands.map((command) => command.name()), 'help']));
    expect(await values('tr')).toEqual(['trust', 'transfers'].toSorted((a, b) => program.commands.findIndex((command) => command.name() === a) - program.commands.findIndex((command) => command.name() === b)));
    expect((await at('who')).candidates).toEqual([{ value: 'whoami', description: 'show name and id of this peer' }]);
    expect(await values('receipts', 've')).toEqual(['verify']);
    expect(await values('help', 's')).toEqual([]);
  });

  test('options of the command and of all commands', async () => {
    expect(await values('send', 'bob', '--de')).toEqual(['--detach']);
    expect(await values('send', '--')).toEqual(expect.arrayContaining(['--detach', '--conflict', '--socket', '--json', '--help']));
    expect(await values('--so')).toEqual(['--socket']);
    expect(await values('receipts', 'verify', '--off')).toEqual([]);
  });

  test('values of options, in both ways of writing them', async () => {
    expect(await values('send', 'bob', '--conflict', '')).toEqual(expect.arrayContaining(['rename', 'fail']));
    expect(await values('send', '--conflict=f')).toEqual(['--conflict=fail']);
    expect(await values('history', '--peer', 'bo')).toEqual(['bob']);
    expect(await at('accept', 'x', '--to', '')).toMatchObject({ candidates: [], paths: 'directories' });
    expect(await at('--socket', '/t')).toMatchObject({ candidates: [], paths: 'files' });
    expect(await at('send', '--note', 'b')).toEqual({ candidates: [], paths: 'none' });
  });

  test('peers, several of them, and then paths', async () => {
    expect(await values('connect', 'b')).toEqual(['bob']);
    expect(await values('--socket', '/x', 'connect', 'b')).toEqual(['bob']);
    expect(await values('disconnect', 'p')).toEqual(['peer-for-disconnect']);
    expect(await values('send', 'bob,')).toEqual(['bob,carol', 'bob,peer-for-send']);
    expect(await at('send', 'bob', 'ph')).toEqual({ candidates: [], paths: 'files' });
    expect(await at('send', '--note', 'b', 'bob', 'a', 'ph')).toEqual({ candidates: [], paths: 'files' });
    expect(await at('send', 'bob', '--', '-odd')).toEqual({ candidates: [], paths: 'files' });
    expect(await values('connect', 'bob', '')).toEqual([]);
  });

  test('ids of the right kind', async () => {
    for (const command of ['accept', 'reject', 'show', 'cancel', 'why']) expect(await values(command, '')).toEqual([`id-for-${command}`]);
  });

  test('choices of arguments', async () => expect(await values('completion', '')).toEqual(['bash', 'zsh', 'fish']));
});

test('a peer is named by what names only it', () => {
  const id = (letter: string): string => letter.repeat(52);
  const peer = (letter: string, name: string) => ({ id: id(letter), name, state: 'online' as const, trust: 'new' as const });
  expect(peerCandidates([peer('a', 'twin'), peer('b', 'twin'), peer('c', 'dave grohl'), peer('d', String.raw`es\x1bc`), peer('e', 'a,b'), peer('f', '-rf')]).map(({ value }) => value)).toEqual([
    'twin~aaaaaaaa', 'twin~bbbbbbbb', 'dave grohl', 'dddddddd', 'eeeeeeee', 'ffffffff',
  ]);
});
