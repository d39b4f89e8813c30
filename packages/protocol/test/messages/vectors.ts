/**
 * Golden vectors: docs/protocol/vectors/messages.json has bodies (byte strings as `{"$hex": "…"}`) and the frames they
 * are encoded to. Run this file with Node to compute the frames again after a deliberate change of the wire format.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { allMessages, encodeMessage } from '../../src/index.ts';

interface Vector {
  kind: string;
  note?: string;
  body: unknown;
  frame: string;
}

const file = new URL('../../../../docs/protocol/vectors/messages.json', import.meta.url);

export const readVectors = (): Vector[] => JSON.parse(readFileSync(file, 'utf8')) as Vector[];

export const bytesFromHex = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(bytesFromHex);
  if (value === null || typeof value !== 'object') return value;
  if ('$hex' in value) return new Uint8Array(Buffer.from(String(value.$hex), 'hex'));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bytesFromHex(item)]));
};

export const encodeVector = (vector: Vector): string => {
  const definition = allMessages.find((candidate) => candidate.kind === vector.kind);
  if (!definition) throw new Error(`no message ${vector.kind}`);
  return encodeMessage(definition, bytesFromHex(vector.body) as never).toString('hex');
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const vectors = readVectors().map((vector) => ({ ...vector, frame: encodeVector(vector) }));
  writeFileSync(file, `[\n${vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(',\n')}\n]\n`);
}
