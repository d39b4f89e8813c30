/** The bottleneck of a transfer in one sentence for a person. */
import type { Bottleneck, WhyResponse } from '@peerd/protocol';
import { maxIdleDays } from './idleness.ts';

export interface Findings {
  readonly direction: 'send' | 'receive';
  /** Escaped. */
  readonly peer: string;
  readonly running: boolean;
  readonly linked: boolean;
  readonly idleDays: number;
  readonly elapsed: number;
  readonly contentMs: number;
  readonly bottleneck: WhyResponse['bottleneck'];
  readonly content: WhyResponse['content'];
}

const subjects: Readonly<Record<'send' | 'receive', Readonly<Record<Bottleneck, string>>>> = {
  send: {
    reaching: 'reaching PEER with the offer',
    person: 'waiting for a decision at PEER',
    read: 'reading the files here',
    hash: 'computing checksums here',
    socket: 'the network to PEER',
    write: 'writing to the disk at PEER',
    limit: 'keeping to the rate limit',
    compress: 'compressing here',
    paused: 'a pause',
    idle: 'waiting for the link to PEER, or for other transfers,',
  },
  receive: {
    reaching: 'receiving the list of files from PEER',
    person: 'waiting for a decision here',
    read: 'reading again here what had arrived before',
    hash: 'computing checksums here',
    socket: 'waiting for data from PEER (the network, or reading there)',
    write: 'writing to the disk here',
    limit: 'keeping to the rate limit',
    compress: 'expanding here what came compressed',
    paused: 'a pause',
    idle: 'waiting for the link to PEER, or for other transfers,',
  },
};

const idleButLinked = 'waiting for PEER, which is linked now, to send';

export const sentenceOf = (findings: Findings): string => `${timeSentence(findings)}${idleSentence(findings)}`;

/** A sender may be linked, answer, and send nothing. */
const idleSentence = ({ peer, running, linked, idleDays }: Findings): string =>
  running && idleDays > 0 ? ` Nothing came from ${peer} on ${idleDays} ${idleDays === 1 ? 'day' : 'days'}${linked ? ', although it is linked now' : ''}; after ${maxIdleDays} it is given up.` : '';

const timeSentence = ({ direction, peer, running, linked, elapsed, contentMs, bottleneck, content }: Findings): string => {
  const subject = (what: Bottleneck): string => (direction === 'receive' && what === 'idle' && running && linked ? idleButLinked : subjects[direction][what]).replace('PEER', () => peer);
  const took = running ? 'takes' : 'took';
  if (bottleneck === null) return running ? 'It has only just begun.' : `It was over in ${inWords(elapsed)}: nothing held it up.`;
  const most = bottleneck.share >= 0.5 ? 'most of the time' : 'the largest part of the time';
  const main = `${capitalized(subject(bottleneck.what))} ${took} ${most}: ${inWords(bottleneck.ms)} of ${inWords(elapsed)}`;
  if (content === null || content.what === bottleneck.what) return `${main}.`;
  return `${main}; the content itself ${took} ${inWords(contentMs)}, ${content.share >= 0.5 ? 'mostly' : 'for the largest part'} ${subject(content.what).replace(/,$/, '')}.`;
};

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** `85 ms`, `1.5 s`, `3 min 7 s`, `2 h 5 min`. */
const inWords = (ms: number): string => {
  if (ms < second) return `${Math.round(ms)} ms`;
  if (ms < minute) return `${(Math.floor(ms / 100) / 10).toString()} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} min ${Math.floor((ms % minute) / second)} s`;
  return `${Math.floor(ms / hour)} h ${Math.floor((ms % hour) / minute)} min`;
};
