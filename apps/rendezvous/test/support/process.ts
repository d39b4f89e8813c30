import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface RunningProcess {
  readonly child: ChildProcess;
  readonly stateDir: string;
  readonly address: { host: string; port: number };
  readonly id: string;
  readonly admin: string;
  /** Every line of standard error so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves with the exit code, `null` after a signal. */
  readonly exited: Promise<number | null>;
}

/** Starts a script of TypeScript as the development set-up does; killed when the test is over. */
export const spawnScript = (script: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess => {
  const child = spawn(process.execPath, ['--conditions=@peerd/source', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', ...env } });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
};

/** Runs the program to its end. */
export const runToEnd = async (args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const child = spawnScript(main, args, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
};

/** Runs the program until its log says that it is up. */
export const startProcess = async (args: readonly string[], env: Record<string, string> = {}): Promise<RunningProcess> => {
  const stateDir = await temporaryDirectory();
  const child = spawnScript(main, ['--state-dir', stateDir, ...args], env);
  const lines: Record<string, unknown>[] = [];
  const up = Promise.withResolvers<Record<string, unknown>>();
  const exited = once(child, 'exit').then(() => child.exitCode);
  void exited.then((code) => up.reject(new Error(`exited with ${code}: ${JSON.stringify(lines)}`)));
  if (child.stderr)
    createInterface({ input: child.stderr }).on('line', (text) => {
      const line = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
      lines.push(line);
      if (line['msg'] === 'rendezvous is up') up.resolve(line);
    });
  const line = await up.promise;
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(String(line['listen'])) ?? [];
  return { child, stateDir, address: { host, port: Number(port) }, id: String(line['id']), admin: String(line['admin']), lines, exited };
};
