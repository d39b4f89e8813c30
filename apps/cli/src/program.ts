/** All commands, and what they have in common. */
import { Command, CommanderError } from 'commander';
import { addAccept } from './commands/accept.ts';
import { addCancel } from './commands/cancel.ts';
import { addChat } from './commands/chat.ts';
import { addCompletion } from './commands/completion.ts';
import { addConnect } from './commands/connect.ts';
import { addContacts } from './commands/contacts.ts';
import { addDisconnect } from './commands/disconnect.ts';
import { addForget } from './commands/forget.ts';
import { addDoctor } from './commands/doctor.ts';
import { addHistory } from './commands/history.ts';
import { addInbox } from './commands/inbox.ts';
import { addPause } from './commands/pause.ts';
import { addPeers } from './commands/peers.ts';
import { addPolicy } from './commands/policy.ts';
import { addReceipts } from './commands/receipts.ts';
import { addReject } from './commands/reject.ts';
import { addResume } from './commands/resume.ts';
import { addSend } from './commands/send.ts';
import { addShow } from './commands/show.ts';
import { addStatus } from './commands/status.ts';
import { addTransfers } from './commands/transfers.ts';
import { addTrust } from './commands/trust.ts';
import { addVerify } from './commands/verify.ts';
import { addWhoami } from './commands/whoami.ts';
import { addWhy } from './commands/why.ts';
import { examples } from './commands/usage.ts';
import type { Run } from './context.ts';
import { version } from './version.ts';

export interface GlobalOptions {
  readonly socket?: string;
  readonly json?: boolean;
}

type Add = (program: Command, run: Run) => void;

/** By the names that people type. */
const groups: Readonly<Record<string, Readonly<Record<string, Add>>>> = {
  'This peer:': { status: addStatus, whoami: addWhoami, doctor: addDoctor, completion: addCompletion },
  'Peers:': { peers: addPeers, connect: addConnect, disconnect: addDisconnect, contacts: addContacts, trust: addTrust, verify: addVerify, policy: addPolicy, forget: addForget, chat: addChat },
  'Transfers:': { send: addSend, inbox: addInbox, accept: addAccept, reject: addReject, transfers: addTransfers, show: addShow, why: addWhy, pause: addPause, resume: addResume, cancel: addCancel },
  'Proof:': { history: addHistory, receipts: addReceipts },
};

const epilogue = `
Exit codes: 0 done, 1 failed, 2 usage, 3 peerd unreachable, 4 no such peer or
ambiguous, 5 rejected by the peer, 6 cancelled, 7 no space, 8 trust refused,
130 interrupted.

The socket is --socket, else PEERCTL_SOCKET, else PEERD_CONTROL, else the first
that exists of $XDG_RUNTIME_DIR/peerd/peerd.sock, /run/peerd/peerd.sock and
/tmp/peerd-UID/peerd.sock.`;

/** @param only the one command that is needed, if there is one of that name: making all of them takes longer than running a quick one */
export const createProgram = (run: Run, only?: string): Command => {
  const program = new Command('peerctl')
    .description('Sends files and messages straight to other peers, through the peerd that runs on this machine.')
    .usage('[--socket PATH] [--json] COMMAND')
    .option('-V, --version', 'show the version')
    .on('option:version', () => {
      process.stdout.write(`${version()}\n`);
      throw new CommanderError(0, 'commander.version', '');
    })
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [COMMAND]', 'show the help of a command')
    .option('--socket <PATH>', 'control socket of peerd, its --control')
    .option('--json', 'print JSON: one document, or one per line where a command goes on')
    .exitOverride()
    // What is wrong is printed once, with its hint, where every other error is.
    .configureOutput({ outputError: () => {} })
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(process.stdout.columns || 80, 100) })
    .addHelpText('after', `${examples(['peerctl peers', 'who is here'], ['peerctl send bob report.pdf', 'send a file to bob'], ['peerctl inbox', 'what others want to send to you'], ['peerctl help send', 'more about a command'])}\n${epilogue}`);
  const known = only !== undefined && Object.values(groups).some((commands) => Object.hasOwn(commands, only));
  for (const [heading, commands] of Object.entries(groups)) {
    program.commandsGroup(heading);
    for (const [name, add] of Object.entries(commands)) if (!known || name === only) add(program, run);
  }
  return program;
};
