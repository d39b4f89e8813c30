/**
 * Reads what `strace -f -y -ttt` writes: one event per system call, from its begin to its end, with whole paths.
 *
 * `PID SECONDS name(arguments) = result`, in two parts when another thread came in between:
 * `… name(arguments <unfinished ...>` and `… <... name resumed>more) = result`
 */

export interface Call {
  readonly name: string;
  /** Seconds since 1970. */
  readonly begin: number;
  end: number;
  /** Absolute paths, in the order of the arguments: of descriptors and of strings. */
  readonly paths: readonly string[];
  /** Undefined: it did not end while it was traced. */
  ok: boolean | undefined;
}

const line = /^(\d+) +(\d+\.\d+) (.*)$/;
const resumed = /^<\.\.\. (\w+) resumed>(.*)$/;
const unfinished = / <unfinished \.\.\.>$/;
const result = /\) = (-?\d+|\?)(?:<([^>]*)>)?/;
/** A descriptor with its path, or a string. */
const argument = /(\d+|AT_FDCWD)<([^>]*)>|"((?:[^"\\]|\\.)*)"/g;
const procFd = /^\/proc\/self\/fd\/(\d+)(\/.*)?$/;

interface Open {
  readonly call: Call;
  readonly text: string;
}

/** @param descriptors of the process when the trace began: `/proc/self/fd/N` may name them */
export const readStrace = (text: string, descriptors: ReadonlyMap<string, string> = new Map()): Call[] => {
  const calls: Call[] = [];
  const open = new Map<string, Open>();
  const known = new Map(descriptors);
  const finish = (call: Call, whole: string, time: number): void => {
    const found = result.exec(whole);
    call.end = time;
    call.ok = found?.[1] !== undefined && !found[1].startsWith('-') && found[1] !== '?';
    if (call.ok && found?.[1] !== undefined && found[2] !== undefined) known.set(found[1], found[2]);
  };
  for (const raw of text.split('\n')) {
    const [, pid = '', seconds = '', rest = ''] = line.exec(raw) ?? [];
    const time = Number(seconds);
    const [, , more] = resumed.exec(rest) ?? [];
    if (more !== undefined) {
      const before = open.get(pid);
      open.delete(pid);
      if (before) finish(before.call, before.text + more, time);
      continue;
    }
    const name = /^(\w+)\(/.exec(rest)?.[1];
    if (name === undefined) continue;
    const begun = rest.replace(unfinished, '');
    const call: Call = { name, begin: time, end: Number.POSITIVE_INFINITY, ok: undefined, paths: pathsOf(begun, known) };
    calls.push(call);
    if (begun === rest) finish(call, rest, time + durationOf(rest));
    else open.set(pid, { call, text: begun });
  }
  return calls;
};

/** `-T` puts the time that a call took behind its result. */
const durationOf = (text: string): number => Number(/<(\d+\.\d+)>$/.exec(text)?.[1] ?? 0);

/** The result names a path too, but no argument does behind ` = `. */
const pathsOf = (text: string, descriptors: ReadonlyMap<string, string>): string[] => {
  const end = text.lastIndexOf(') = ');
  const paths: string[] = [];
  for (const [, descriptor, path, string] of (end < 0 ? text : text.slice(0, end)).matchAll(argument)) {
    if (descriptor !== undefined && descriptor !== 'AT_FDCWD') paths.push(path ?? '');
    else if (string !== undefined) paths.push(resolved(string, descriptors));
  }
  return paths;
};

const resolved = (path: string, descriptors: ReadonlyMap<string, string>): string => {
  const [, descriptor, below = ''] = procFd.exec(path) ?? [];
  const directory = descriptor === undefined ? undefined : descriptors.get(descriptor);
  return directory === undefined ? path : directory + below;
};
