/** Runs in a process of its own, with a file system of 12 MiB at argv[2]: it fills up while content arrives. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';
import { content } from './content.ts';
import { flow, offer, openReceiver, place } from './transfer.ts';

const [, , small = '', roomy = ''] = process.argv;
const [state, source] = [join(roomy, 'state'), join(roomy, 'source')];
for (const path of [state, source]) await mkdir(path);
const files = { large: content(3 * 1024 * 1024, 1), small: content(20_000, 2) };
for (const [name, data] of Object.entries(files)) await writeFile(join(source, name), data);

const offered = await offer(state, Object.keys(files).map((name) => join(source, name)));
const isNoSpace = (error: unknown): boolean => error instanceof PeerdError && error.code === 'no_space' && error.hint !== undefined;

await writeFile(join(small, 'filler'), Buffer.alloc(6 * 1024 * 1024));
await assert.rejects(openReceiver(state, small, offered), isNoSpace);
await rm(join(small, 'filler'));
const receiver = await openReceiver(state, small, offered);
await writeFile(join(small, 'filler'), Buffer.alloc(10 * 1024 * 1024));
await assert.rejects(flow({ state, offered, receiver }), isNoSpace);
await rm(join(small, 'filler'));
const { contentRoot } = await flow({ state, offered, receiver });
assert.ok(receiver.counters.reused > 0, 'what fitted is used again');
assert.equal(receiver.counters.rewritten, 0);
await receiver.complete(contentRoot);
await place(receiver, { durability: 'transfer' });
for (const [name, data] of Object.entries(files)) assert.ok(data.equals(await readFile(join(small, name))));
await receiver.close();
await offered.sender.close();
await offered.receiver.close();
process.stdout.write('done\n');
