/** A machine of its own for a test: a container, with systemd as its first process or bare. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { until } from '../containers/harness/poll.ts';

const docker = async (...args: readonly string[]): Promise<string> => (await promisify(execFile)('docker', [...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;

export interface ShellResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As systemd wants it: its own /run, the hierarchy of cgroups, and leave to make namespaces. */
const systemdOptions = [
  '--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_PTRACE', '--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined', '--stop-signal', 'SIGRTMIN+3',
  // The hierarchy that is mounted below is the host's.
  '--cgroupns', 'host', '--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec', '-v', '/sys/fs/cgroup:/sys/fs/cgroup:rw',
] as const;

export class Machine implements AsyncDisposable {
  readonly #container: string;

  private constructor(container: string) {
    this.#container = container;
  }

  /** With systemd as process 1, which has started everything when this resolves. */
  static async boot(image: 'unpacked' | 'installed'): Promise<Machine> {
    const machine = new Machine((await docker('run', '--detach', ...systemdOptions, inject('machineImages')[image])).trim());
    await until('systemd is up', () => machine.run('systemctl is-system-running'), ({ stdout }) => ['running', 'degraded'].includes(stdout.trim()), 60_000);
    // As systemd has it on a machine; credentials of services are handed over through it.
    await machine.ok('mount --make-rshared /');
    return machine;
  }

  /** Without systemd: process 1 does nothing. */
  static async bare(): Promise<Machine> {
    return new Machine((await docker('run', '--detach', '--init', inject('machineImages').unpacked, 'sleep', 'infinity')).trim());
  }

  /** Runs a script with the shell, as in a login of that user. */
  async run(script: string, user = 'root'): Promise<ShellResult> {
    try {
      const { stdout, stderr } = await promisify(execFile)('docker', this.#command(script, user), { maxBuffer: 64 * 1024 * 1024 });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      if (typeof code !== 'number') throw error;
      return { code, stdout, stderr };
    }
  }

  /** Runs a script that has to succeed, and returns what it printed. */
  async ok(script: string, user = 'root'): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, user);
    if (code !== 0) throw new Error(`${script} exited with ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  async json<Document>(script: string, user = 'root'): Promise<Document> {
    return JSON.parse(await this.ok(script, user)) as Document;
  }

  /** Starts a script whose output is read while it runs. */
  start(script: string, user = 'root'): ChildProcess {
    return spawn('docker', this.#command(script, user), { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** A property of a unit, as `systemctl show` tells it. */
  async property(unit: string, name: string): Promise<string> {
    return this.ok(`systemctl show --value --property=${name} ${unit}`);
  }

  async write(path: string, content: string, user = 'root'): Promise<void> {
    await this.ok(`mkdir -p "$(dirname ${path})" && cat >${path} <<'END'\n${content}\nEND`, user);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker('rm', '--force', '--volumes', this.#container);
  }

  #command(script: string, user: string): string[] {
    // A login would set these.
    const home = `export HOME=$(getent passwd ${user} | cut -d: -f6) XDG_RUNTIME_DIR=/run/user/$(id -u); [ -d "$XDG_RUNTIME_DIR" ] || unset XDG_RUNTIME_DIR; cd "$HOME"`;
    return ['exec', '--user', user, this.#container, 'sh', '-c', `${home}; ${script}`];
  }
}
