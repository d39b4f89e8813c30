/** Where the programs of others are, and how to get what is missing. */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Program → what installs it. */
const installation = {
  time: 'apt-get install time',
  rsync: 'apt-get install rsync',
  ssh: 'apt-get install openssh-client',
  scp: 'apt-get install openssh-client',
  'ssh-keygen': 'apt-get install openssh-client',
  sshd: 'apt-get install openssh-server',
  nc: 'apt-get install netcat-openbsd',
  socat: 'apt-get install socat',
  croc: 'go install github.com/schollz/croc/v10@latest',
  sendme: 'cargo install sendme',
  wormhole: 'pip install magic-wormhole',
  twist: 'pip install magic-wormhole-mailbox-server',
} as const;

export type Program = keyof typeof installation;

const directories = [
  ...(process.env['PATH'] ?? '').split(':').filter(Boolean),
  '/usr/sbin', '/sbin', '/usr/local/bin',
  join(homedir(), 'go/bin'), join(homedir(), '.cargo/bin'), join(homedir(), '.local/bin'),
];

/** Its path; undefined when it is not installed. */
export const findProgram = (program: Program): string | undefined =>
  directories.map((directory) => join(directory, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** For a program that was found before. @throws Error when it is gone */
export const programPath = (program: Program): string => {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed: ${installation[program]}`);
  return path;
};

export const howToInstall = (program: Program): string => installation[program];
