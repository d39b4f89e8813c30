/** `--watch`: a document, and again after each change. NDJSON, a live table on a terminal, or plain tables. */
import type { Followed } from '../client/follow.ts';
import type { Context } from '../context.ts';
import type { Output } from '../ui/output.ts';

export interface Watched<Document> {
  readonly load: () => Promise<Document>;
  /** The document after an event, or whether it must be asked for. */
  readonly reduce: (document: Document, event: Followed) => Document | 'same' | 'reload';
  readonly view: (document: Document, columns: number | undefined) => string[];
}

/** Goes on until it is interrupted or the daemon stays away. */
export const watchDocument = async <Document>({ client, output, signal }: Context, watched: Watched<Document>): Promise<never> => {
  const screen = await openScreen(output, watched.view);
  try {
    let document: Document | undefined;
    let shown = '';
    for await (const event of client.follow({ signal })) {
      if (event.kind === 'lost') {
        screen.away();
        continue;
      }
      const next = event.kind === 'connected' || document === undefined ? 'reload' : watched.reduce(document, event);
      if (next === 'same') continue;
      try {
        document = next === 'reload' ? await watched.load() : next;
      } catch (error) {
        signal.throwIfAborted();
        // A daemon that stops between the event and the question is waited for by `follow`.
        const { hasCode } = await import('../client/failure.ts');
        if (!hasCode(error, 'daemon_unreachable', 'shutting_down')) throw error;
        continue;
      }
      const text = JSON.stringify(document);
      if (text !== shown || screen.isAway()) screen.show(document);
      shown = text;
    }
    throw new Error('the events ended');
  } finally {
    screen.close();
  }
};

interface Screen<Document> {
  show(document: Document): void;
  away(): void;
  isAway(): boolean;
  close(): void;
}

const openScreen = async <Document>(output: Output, view: Watched<Document>['view']): Promise<Screen<Document>> => {
  let away = false;
  const awayText = 'peerd is away; waiting until it is back';
  if (!output.json && output.stdout.isTTY) {
    const { openLive } = await import('../ui/live.ts');
    let latest: Document | undefined;
    const live = openLive(output.stdout, (columns) => [...(latest === undefined ? [] : view(latest, columns)), ...(away ? [output.colors.yellow(awayText)] : [])]);
    return {
      show: (document) => {
        latest = document;
        away = false;
        live.render();
      },
      away: () => {
        away = true;
        live.render();
      },
      isAway: () => away,
      close: () => live.close(),
    };
  }
  let first = true;
  return {
    show: (document) => {
      away = false;
      if (output.json) return output.document(document);
      if (!first) output.line();
      first = false;
      for (const line of view(document, undefined)) output.line(line);
    },
    away: () => {
      away = true;
      if (!output.json) output.warn(awayText);
    },
    isAway: () => away && !output.json,
    close: () => {},
  };
};
