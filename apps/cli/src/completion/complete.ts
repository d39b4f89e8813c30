/**
 * What may stand where the cursor is: commands, options and their values from the commands themselves, peers and ids from
 * peerd, files from the shell.
 */
import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** What the shell adds of its own. */
  readonly paths: 'none' | 'files' | 'directories';
}

/** What only peerd knows. */
export interface Knowledge {
  /** @param command for which: `disconnect` has use only for linked ones */
  peers(command: string): Promise<readonly Candidate[]>;
  ids(command: string): Promise<readonly Candidate[]>;
}

const nothing: Completion = { candidates: [], paths: 'none' };

/** @param words behind the program's name; the last one is being completed, and may be empty */
export const complete = async (program: Command, words: readonly string[], knowledge: Knowledge): Promise<Completion> => {
  const current = words.at(-1) ?? '';
  const found = await completionsFor(walk(program, words.slice(0, -1)), current, knowledge);
  return { ...found, candidates: found.candidates.filter(({ value }) => value.startsWith(current)) };
};

interface Place {
  readonly command: Command;
  /** Its name from the top: `receipts verify`. */
  readonly name: string;
  /** How many of its arguments stand already. */
  readonly position: number;
  /** The option whose value comes. */
  readonly option: Option | undefined;
  /** Behind `--`. */
  readonly literal: boolean;
}

const walk = (program: Command, words: readonly string[]): Place => {
  let command = program;
  let name = '';
  let position = 0;
  let option: Option | undefined;
  let literal = false;
  for (const word of words) {
    if (option) option = undefined;
    else if (!literal && word === '--') literal = true;
    else if (!literal && word.startsWith('-') && word !== '-') option = takesNext(optionNamed(command, word));
    else {
      const nested = position === 0 ? command.commands.find((candidate) => candidate.name() === word) : undefined;
      if (nested) {
        command = nested;
        name = name === '' ? nested.name() : `${name} ${nested.name()}`;
      } else position += 1;
    }
  }
  return { command, name, position, option, literal };
};

const takesNext = (option: Option | undefined): Option | undefined => (option?.required === true ? option : undefined);

/** Global options may stand behind the command too. */
const optionsOf = (command: Command): Option[] => {
  let top = command;
  while (top.parent) top = top.parent;
  return [...new Set([...command.options, ...top.options])].filter(({ hidden }) => !hidden);
};
const optionNamed = (command: Command, word: string): Option | undefined => optionsOf(command).find(({ long, short }) => long === word || short === word);

const completionsFor = async (place: Place, current: string, knowledge: Knowledge): Promise<Completion> => {
  const { command, name, position, option, literal } = place;
  if (option) return await valuesOf(option, name, knowledge);
  const assigned = literal ? null : /^(--[^=]+)=/.exec(current);
  if (assigned) {
    const named = optionNamed(command, assigned[1] ?? '');
    const { candidates } = named ? await valuesOf(named, name, knowledge) : nothing;
    // The shell completes paths of whole words only.
    return { candidates: candidates.map((candidate) => ({ ...candidate, value: `${assigned[0]}${candidate.value}` })), paths: 'none' };
  }
  if (!literal && current.startsWith('-') && current !== '-') {
    const help = { value: '--help', description: 'show help' };
    return { candidates: [...optionsOf(command).map(({ long, short, description }) => ({ value: long ?? short ?? '', description })), help], paths: 'none' };
  }
  const commands = position > 0 ? [] : command.commands.map((nested) => ({ value: nested.name(), description: nested.summary() || nested.description() }));
  if (command.parent === null) {
    return { candidates: [...commands, { value: 'help', description: 'show the help of a command' }], paths: 'none' };
  }
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
  const own = argument ? await argumentValues(argument, name, current, knowledge) : nothing;
  return { ...own, candidates: [...commands, ...own.candidates] };
};

const argumentValues = async (argument: Argument, command: string, current: string, knowledge: Knowledge): Promise<Completion> => {
  const kind = argument.name();
  if (argument.argChoices) return choices(argument.argChoices);
  if (kind.startsWith('PATH')) return { candidates: [], paths: 'files' };
  if (kind === 'ID') return { candidates: await knowledge.ids(command), paths: 'none' };
  if (!kind.startsWith('PEER')) return nothing;
  const peers = await knowledge.peers(command);
  if (!kind.includes(',')) return { candidates: peers, paths: 'none' };
  // Several peers: what stands before the last comma stays.
  const kept = current.slice(0, current.lastIndexOf(',') + 1);
  const named = new Set(kept.split(','));
  return { candidates: peers.filter(({ value }) => !named.has(value) && !value.includes(',')).map((peer) => ({ ...peer, value: kept + peer.value })), paths: 'none' };
};

const valuesOf = async (option: Option, command: string, knowledge: Knowledge): Promise<Completion> => {
  if (option.argChoices) return choices(option.argChoices);
  const kind = /[<[]([^>\]]*)[>\]]/.exec(option.flags)?.[1] ?? '';
  if (kind === 'PEER') return { candidates: await knowledge.peers(command), paths: 'none' };
  if (kind === 'DIR') return { candidates: [], paths: 'directories' };
  if (kind === 'PATH' || kind === 'FILE') return { candidates: [], paths: 'files' };
  return nothing;
};

const choices = (values: readonly string[]): Completion => ({ candidates: values.map((value) => ({ value, description: '' })), paths: 'none' });
