/** An sshd for the bench: keys, users and settings of its own, on loopback; nothing of ~/.ssh and no agent is used. */
import { chmod, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../measure/command.ts';
import { programPath } from '../measure/programs.ts';
import { freePort, Server } from '../measure/server.ts';
import { timed } from '../measure/timed.ts';
import { addUsage, type Sample } from '../measure/usage.ts';

/** Of the ciphers that ssh has, the one that costs the least where the CPU has AES instructions. */
const cipher = 'aes128-gcm@openssh.com';
/** sshd of root refuses to start without it; packages make it when they start their own. */
const privilegeSeparation = '/run/sshd';

export class Sshd implements AsyncDisposable {
  /** `ssh -F` this, with host `bench`. */
  readonly clientConfig: string;
  readonly #server: Server;
  readonly #madeDirectory: boolean;

  private constructor(clientConfig: string, server: Server, madeDirectory: boolean) {
    this.clientConfig = clientConfig;
    this.#server = server;
    this.#madeDirectory = madeDirectory;
  }

  static async start(directory: string, signal: AbortSignal): Promise<Sshd> {
    const path = (name: string): string => join(directory, name);
    for (const name of ['host-key', 'user-key'])
      await runCommand({ label: 'ssh-keygen', argv: [programPath('ssh-keygen'), '-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', path(name)], signal });
    const port = await freePort();
    const { username } = userInfo();
    // Another home, so that what the user's shell does when it starts isn't measured.
    await writeFile(path('sshd_config'), [
      `Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${path('host-key')}`, `AuthorizedKeysFile ${path('user-key.pub')}`, 'PidFile none', 'StrictModes no', 'UsePAM no', 'UseDNS no',
      'PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password', 'PermitUserRC no', `SetEnv HOME=${directory}`, 'PrintMotd no', 'Subsystem sftp internal-sftp', '',
    ].join('\n'));
    await writeFile(path('known_hosts'), `bench ${await readFile(path('host-key.pub'), 'utf8')}`);
    await writeFile(path('ssh_config'), [
      'Host bench', 'HostName 127.0.0.1', `Port ${port}`, `User ${username}`, `IdentityFile ${path('user-key')}`, 'IdentitiesOnly yes', 'IdentityAgent none', 'HostKeyAlias bench',
      `UserKnownHostsFile ${path('known_hosts')}`, 'GlobalKnownHostsFile /dev/null', 'StrictHostKeyChecking yes', `Ciphers ${cipher}`, 'Compression no', 'BatchMode yes', 'LogLevel ERROR', '',
    ].join('\n'));
    await chmod(path('user-key'), 0o600);
    const madeDirectory = process.getuid?.() === 0 && (await mkdir(privilegeSeparation, { mode: 0o755 }).then(() => true, () => false));
    const server = await Server.start({ label: 'sshd', port, signal, argv: [programPath('sshd'), '-D', '-e', '-f', path('sshd_config')] });
    return new Sshd(path('ssh_config'), server, madeDirectory);
  }

  /** A measured command that uses it. */
  async run(label: string, argv: readonly string[], signal: AbortSignal): Promise<Sample> {
    const { SSH_AUTH_SOCK: _, ...env } = process.env;
    const { result, usage } = await this.#server.during(() => timed(() => runCommand({ label, argv, signal, env })));
    return { seconds: result.seconds, ...addUsage(result, usage) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    if (this.#madeDirectory) await rmdir(privilegeSeparation).catch(() => {});
  }
}
