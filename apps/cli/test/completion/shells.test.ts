/** Tab in real shells, on a pseudo-terminal. `peerctl` is a function there that prints the words that the shell hands over. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inboxResponseSchema, peersResponseSchema, transfersResponseSchema } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { completionScripts } from '../../src/completion/scripts.ts';
import { TestDaemon } from '../support/daemon.ts';
import { firstId, offer, peer, secondId, transfer } from '../support/fixtures.ts';
import { command } from '../support/peerctl.ts';

const has = (program: string): boolean => spawnSync(program, ['-c', 'exit 0'], { stdio: 'ignore' }).status === 0;

const odd = ['bob', 'dave grohl', "o'neil", 'x:y', '$HOME', 'été', 'q"uote', '(paren)', 'semi;colon', 'star*', 'a=b', 'me@home'];

const startDaemon = async (): Promise<TestDaemon> => {
  const daemon = await TestDaemon.start();
  const letters = 'bcdefghijklmnopqrstuvwxyz234567';
  daemon.on('GET /v1/peers', peersResponseSchema, { peers: odd.map((name, index) => peer({ id: (letters[index] ?? 'a').repeat(52), name })) });
  daemon.on('GET /v1/transfers', transfersResponseSchema, { transfers: [transfer({ id: firstId, state: 'done' }), transfer({ id: secondId, state: 'transferring' })] });
  daemon.on('GET /v1/inbox', inboxResponseSchema, { offers: [offer({ id: firstId })], introductions: [] });
  const { directory } = daemon;
  await mkdir(join(directory, 'photo album'));
  await writeFile(join(directory, 'plain.txt'), '');
  const real = command.map((word) => `'${word}'`).join(' ');
  // Asked for a completion it is the real one.
  await writeFile(join(directory, 'peerctl'), `#!/bin/sh\nif [ "$1" = __complete ]; then exec ${real} "$@"; fi\nfor word do printf '<%s>' "$word"; done; echo .\n`);
  await chmod(join(directory, 'peerctl'), 0o755);
  for (const shell of ['bash', 'zsh', 'fish'] as const) await writeFile(join(directory, `completion.${shell}`), completionScripts[shell]);
  await mkdir(join(directory, 'home'));
  return daemon;
};

const shells = {
  bash: { start: 'exec bash --norc --noprofile -i', setup: 'source ./completion.bash; bind "set bell-style none"; bind "set enable-bracketed-paste off"' },
  zsh: { start: 'exec zsh -f -i', setup: 'autoload -Uz compinit; compinit -u -D; source ./completion.zsh; unsetopt beep' },
  fish: { start: 'exec fish --no-config -i', setup: 'source ./completion.fish' },
} as const;

/** Types the lines, each with its Tabs, and returns what `peerctl` was called with. */
const typed = async (shell: keyof typeof shells, daemon: TestDaemon, lines: readonly string[]): Promise<string[]> => {
  const { directory, socket } = daemon;
  const child = spawn('script', ['-qec', `stty cols 200 rows 50; ${shells[shell].start}`, '/dev/null'], {
    cwd: directory,
    env: { PATH: `${directory}:${process.env['PATH'] ?? ''}`, HOME: join(directory, 'home'), LANG: 'C.UTF-8', TERM: 'dumb', PEERCTL_SOCKET: socket, PS1: '> ' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    for (const listener of listeners) listener();
  });
  const closed = once(child, 'close').then(() => Promise.reject(new Error(`${shell} ended:\n${screen}`)));
  const shows = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const { promise, resolve } = Promise.withResolvers<RegExpExecArray>();
    const look = (): void => {
      const match = pattern.exec(screen);
      if (match) resolve(match);
    };
    listeners.add(look);
    look();
    return await Promise.race([promise, closed]).finally(() => listeners.delete(look));
  };
  const results: string[] = [];
  child.stdin.write(`${shells[shell].setup}; echo re''ady\r`);
  await shows(/^ready/m);
  for (const line of lines) {
    screen = '';
    child.stdin.write(`${line}\r`);
    const [, words = ''] = await shows(/^((?:<[^\n]*>)?)\.\r?$/m);
    // Zsh takes the slash behind a directory away when the line is over.
    results.push(words.replaceAll('/>', '>'));
  }
  closed.catch(() => {});
  child.kill('SIGKILL');
  return results;
};

const quotedStart: Readonly<Record<string, string>> = { 'dave grohl': 'da', "o'neil": 'o', 'x:y': 'x', $HOME: String.raw`\$`, été: 'é', 'q"uote': 'q', '(paren)': String.raw`\(`, 'semi;colon': 'se', 'star*': 'st', 'a=b': 'a', 'me@home': 'me', bob: 'bo' };

for (const shell of ['bash', 'zsh', 'fish'] as const)
  describe.skipIf(!has(shell))(`${shell}${has(shell) ? '' : ' (it is not installed here)'}`, () => {
    test('commands, options, values, ids and paths', async () => {
      await using daemon = await startDaemon();
      const lines = ['peerctl whoa\t', 'peerctl send --det\t', 'peerctl send --conflict ren\t', 'peerctl accept \t', 'peerctl cancel \t', 'peerctl send bob ph\t', 'peerctl accept --to ph\t', 'peerctl send bob pl\t', 'peerctl send bob,dav\t'];
      expect(await typed(shell, daemon, lines)).toEqual([
        '<whoami>', '<send><--detach>', '<send><--conflict><rename>', `<accept><${firstId}>`, `<cancel><${secondId}>`, '<send><bob><photo album>', '<accept><--to><photo album>', '<send><bob><plain.txt>', '<send><bob,dave grohl>',
      ]);
    });

    test('names, however odd, reach peerctl as they are', async () => {
      await using daemon = await startDaemon();
      expect(await typed(shell, daemon, odd.map((name) => `peerctl connect ${quotedStart[name] ?? ''}\t`))).toEqual(odd.map((name) => `<connect><${name}>`));
    });

    test('what was begun with a quote or behind a colon goes on', async () => {
      await using daemon = await startDaemon();
      expect(await typed(shell, daemon, ['peerctl connect "dave\t', "peerctl connect 'dave g\t", 'peerctl connect x:\t', String.raw`peerctl connect dave\ gr` + '\t', 'peerctl connect me@\t'])).toEqual([
        '<connect><dave grohl>', '<connect><dave grohl>', '<connect><x:y>', '<connect><dave grohl>', '<connect><me@home>',
      ]);
    });

    test('silent when there is no peerd', async () => {
      await using daemon = await startDaemon();
      await daemon.stop();
      expect(await typed(shell, daemon, ['peerctl connect bo\t', 'peerctl acc\t'])).toEqual(['<connect><bo>', '<accept>']);
    });
  });
