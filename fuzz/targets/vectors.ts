/** Frames of the golden vectors: one of each message at least. */
import { readFileSync } from 'node:fs';

const file = new URL('../../docs/protocol/vectors/messages.json', import.meta.url);

export const vectorFrames: readonly Buffer[] = (JSON.parse(readFileSync(file, 'utf8')) as { readonly frame: string }[]).map(({ frame }) => Buffer.from(frame, 'hex'));
