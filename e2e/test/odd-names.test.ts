import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diffTrees } from '../harness/files.ts';
import { World } from '../harness/world.ts';

const text = (name: string): Buffer => Buffer.from(name);
const oddNames: readonly Buffer[] = [
  ...['two words', ' leading space', 'trailing space ', 'new\nline', 'tab\there', 'carriage\rreturn', '\u001b[31mred\u001b[0m', '🦊 emoji', '-rf', '--help', 'back\\slash',
    'con', 'aux.txt', 'trailing.', '.hidden', '...', '~', '*', '?', 'a:b', '"quoted"', "it's", '$(id)', '`id`', 'semi;colon', 'caf\u00e9', 'cafe\u0301', 'evil\u202egpj.exe',
    'zero\u200bwidth', 'Case', 'case', 'x'.repeat(255), 'é'.repeat(127)].map(text),
  Buffer.from([0x66, 0xff, 0xfe, 0x6f]),
  Buffer.from([0x80]),
  Buffer.concat([Buffer.alloc(254, 0x61), Buffer.from([0xc3])]),
];

const inside = (directory: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${directory}/`), name]);

/** What no output for people or scripts may contain: control characters but line ends, bidi and zero-width marks. */
// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\ufffd]/;

test('10,000 small files and odd names arrive identical, and are printed escaped', async () => {
  await using world = await World.create();
  await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
  const tree = join(alice.directory, 'odd \u202e tree');
  for (let directory = 0; directory < 100; directory += 1) {
    mkdirSync(join(tree, `d${directory}`), { recursive: true });
    for (let index = 0; index < 100; index += 1) writeFileSync(join(tree, `d${directory}`, `f${index}`), `${directory}/${index} `.repeat(index * 3));
  }
  for (const name of oddNames) {
    writeFileSync(inside(tree, name), name);
    mkdirSync(inside(join(tree, 'd0'), name));
    writeFileSync(Buffer.concat([inside(join(tree, 'd0'), name), Buffer.from('/'), name]), 'nested');
    symlinkSync(name, inside(join(tree, 'd1'), name));
  }

  const send = alice.command(['--json', 'send', 'bob', tree]);
  const { id } = await send.line((line) => line['event'] === 'offered');
  const outputs: string[] = [];
  for (const args of [['inbox'], ['show', String(id), '--limit', '10000'], ['transfers'], ['peers'], ['accept', String(id)]])
    for (const json of [[], ['--json']]) {
      if (args[0] === 'accept' && json.length > 0) continue;
      const { code, stdout, stderr } = await bob.run(...json, ...args);
      expect([args[0], code, stderr]).toEqual([args[0], 0, '']);
      outputs.push(stdout);
    }
  const { code, stdout } = await send.result;
  expect(code).toBe(0);
  outputs.push(stdout, bob.daemon?.log.join('\n') ?? '', alice.daemon?.log.join('\n') ?? '');
  for (const output of outputs) expect(unsafe.exec(output)).toBeNull();

  const arrived = join(bob.inboxDirectory, 'odd \u202e tree');
  expect(await diffTrees(tree, arrived)).toBe('');
  const [sentNames, arrivedNames] = await Promise.all([tree, arrived].map(async (root) => (await readdir(root, { encoding: 'buffer' })).map((name) => name.toString('hex')).sort()));
  expect(arrivedNames).toEqual(sentNames);
  for (const name of oddNames) {
    const [sent, received] = await Promise.all([lstat(inside(tree, name)), lstat(inside(arrived, name))]);
    expect([received.mode, received.size]).toEqual([sent.mode, sent.size]);
  }
});
