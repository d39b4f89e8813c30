/** `nc`: plaintext, unverified, a port that anybody may write to. */
import { basename, dirname, join } from 'node:path';
import { Command, pipeline, runCommand } from '../measure/command.ts';
import { programPath } from '../measure/programs.ts';
import { timed } from '../measure/timed.ts';
import { addUsage, type Sample } from '../measure/usage.ts';
import { openSimple } from './open-simple.ts';
import type { Tool } from './tool.ts';

interface Pipe {
  readonly receive: string;
  readonly receiveTo: string;
  readonly send: string;
  readonly sendFrom: readonly string[];
}

/** In the scripts `$1` is nc; `$2` is the destination for the receiver and the port for the sender, who has `sendFrom` behind it. */
const overNetcat = async ({ receive, receiveTo, send, sendFrom }: Pipe, signal: AbortSignal): Promise<Sample> => {
  const nc = programPath('nc');
  const receiver = new Command({ label: 'nc (receiver)', argv: pipeline(receive, nc, receiveTo), signal });
  try {
    // OpenBSD's netcat tells the port that it was given.
    const [, port = ''] = await receiver.says(/Listening on \S+ (\d+)/);
    return await timed(async () => {
      const sent = await runCommand({ label: 'nc (sender)', argv: pipeline(send, nc, port, ...sendFrom), signal });
      return addUsage(sent, await receiver.finished());
    });
  } finally {
    receiver.kill();
  }
};

export const nc: Tool = {
  name: 'nc',
  needs: ['nc'],
  handles: ['file'],
  open: (place) =>
    openSimple(place, ({ source, signal }, destination) =>
      overNetcat(
        { receive: 'exec "$1" -vnl 127.0.0.1 0 > "$2"', receiveTo: join(destination, basename(source)), send: 'exec "$1" -nN 127.0.0.1 "$2" < "$3"', sendFrom: [source] },
        signal,
      )),
};

export const tarNc: Tool = {
  name: 'tar | nc',
  needs: ['nc'],
  handles: ['tree'],
  open: (place) =>
    openSimple(place, ({ source, signal }, destination) =>
      overNetcat(
        {
          receive: '"$1" -vnl 127.0.0.1 0 | tar -x -C "$2"',
          receiveTo: destination,
          send: 'tar -c -C "$3" "$4" | "$1" -nN 127.0.0.1 "$2"',
          sendFrom: [dirname(source), basename(source)],
        },
        signal,
      )),
};
