/** What a failed connection to the control socket means, and what to do about it. */
import { escapeText } from '@peerd/protocol/escape';
import { PeerdError } from '@peerd/protocol/errors';

const start = 'Start peerd (`peerd --rendezvous HOST:12000`, or `systemctl start peerd` where it is a service), or name the socket of a running one with --socket PATH.';

export const unreachable = (socket: string, cause: Error): PeerdError => {
  if (cause instanceof PeerdError) return cause;
  const where = escapeText(socket);
  const fail = (message: string, hint: string): PeerdError => new PeerdError('daemon_unreachable', message, { cause, hint });
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return fail(`no peerd answers on ${where}: there is no such socket`, start);
    case 'ECONNREFUSED':
      return fail(`no peerd answers on ${where}: nobody listens there`, start);
    case 'EACCES':
    case 'EPERM':
      return fail(`peerd's socket ${where} may not be opened by this user`, 'Become the user who runs peerd; where it is a service, be a member of the group peerd.');
    case 'EAGAIN':
      return fail(`peerd on ${where} takes no more connections`, 'Try again; if it stays so, look at its log.');
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return fail(`peerd on ${where} stopped before it had answered`, 'Whether it did what was asked is not known: look with `peerctl status` and `peerctl transfers` once it is back.');
  }
  return code.startsWith('HPE_') ? notPeerd(socket, cause) : fail(`no peerd answers on ${where}: ${cause.message}`, start);
};

export const notAnswered = (socket: string, ms: number): PeerdError =>
  new PeerdError('daemon_unreachable', `peerd on ${escapeText(socket)} has not answered for ${Math.round(ms / 1000)} s`, { hint: 'It may be stopped or overloaded: look at its process and its log.' });

export const notPeerd = (socket: string, cause?: Error): PeerdError =>
  new PeerdError('daemon_unreachable', `what answers on ${escapeText(socket)} is not peerd's control interface`, { cause, hint: 'Name the socket of peerd with --socket PATH.' });
