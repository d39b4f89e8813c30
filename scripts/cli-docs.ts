/**
 * docs/cli.md out of the commands. What stands before the first group, and what stands behind a command's `by hand` line,
 * is written by people and kept; the rest is what `peerctl help` says.
 */
import { idHelp, pageHelp, peerHelp } from '../apps/cli/src/commands/usage.ts';
import { createProgram } from '../apps/cli/src/program.ts';

type Command = ReturnType<typeof createProgram>;
type Option = Command['options'][number];
type Argument = Command['registeredArguments'][number];

const marker = (name: string): string => `<!-- by hand: ${name} -->`;
const markerPattern = /^<!-- by hand: ([a-z-]+) -->$/m;
/** The introduction explains these once. */
const shared = [peerHelp, idHelp, pageHelp].map((text) => text.trim());

/** @param text the file as it is @throws when people wrote about a command that does not exist */
export const cliDocs = (text: string): string => {
  const program = createProgram(() => async () => {});
  const groups = Map.groupBy(program.commands, (command) => command.helpGroup());
  const introduction = text.slice(0, Math.max(0, text.search(/^## This peer$/m)));
  const prose = handwritten(text);
  const sections = [...groups].map(([heading, commands]) => [`## ${heading.replace(/:$/, '')}`, ...commands.map((command) => section(command, prose))].join('\n\n'));
  const [unknown] = prose.keys();
  if (unknown !== undefined) throw new Error(`docs/cli.md: there is no command ${unknown}. Remove its section, or name the new command in its \`by hand\` line.`);
  return `${introduction}${sections.join('\n\n')}\n`;
};

const handwritten = (text: string): Map<string, string> => {
  const prose = new Map<string, string>();
  for (const part of text.split(/^(?=<!-- by hand: )/m)) {
    const name = markerPattern.exec(part)?.[1];
    if (name !== undefined && part.startsWith('<!--')) prose.set(name, part.slice(marker(name).length).split(/^##+ /m)[0]?.trim() ?? '');
  }
  return prose;
};

const section = (command: Command, prose: Map<string, string>): string => {
  const name = command.name();
  const words = prose.get(name) ?? '';
  prose.delete(name);
  return [`### \`${usage(command)}\``, ...body(command), ...command.commands.flatMap((nested) => [`**\`${usage(nested)}\`**`, ...body(nested)]), marker(name), ...(words === '' ? [] : [words])].join('\n\n');
};

const body = (command: Command): string[] => {
  const rows = [...command.registeredArguments.map((argument) => [argumentWords(argument), argument.description]), ...command.options.filter(({ hidden }) => !hidden).map((option) => [flags(option), meaning(option)])];
  const after = afterHelp(command);
  const examples = after.filter((paragraph) => paragraph.startsWith('Examples:\n')).map((paragraph) => paragraph.split('\n').slice(1).map((line) => line.slice(2)).join('\n'));
  const rest = after.filter((paragraph) => !paragraph.startsWith('Examples:'));
  return [
    command.description(),
    ...(rows.length === 0 ? [] : [`| argument, option | |\n|---|---|\n${rows.map(([term = '', words = '']) => `| \`${cell(term)}\` | ${cell(words)} |`).join('\n')}`]),
    ...rest,
    ...examples.map((lines) => `\`\`\`\n${lines}\n\`\`\``),
  ];
};

const usage = (command: Command): string => {
  const path: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) path.unshift(at.name());
  const words = command.registeredArguments.map((argument) => (argument.required ? argumentWords(argument) : `[${argumentWords(argument)}]`));
  const options = command.options.filter(({ hidden }) => !hidden).map((option) => (option.mandatory ? flags(option) : `[${flags(option)}]`));
  return [...path, ...words, ...options].join(' ');
};

const argumentWords = (argument: Argument): string => (argument.argChoices === undefined ? `${argument.name()}${argument.variadic ? '...' : ''}` : argument.argChoices.join('|'));

const flags = ({ flags: text, argChoices }: Option): string => text.replace(/[<[]([^>\]]*)[>\]]/, (_, name: string) => argChoices?.join('|') ?? name);

const meaning = ({ description, defaultValue, defaultValueDescription }: Option): string =>
  defaultValue === undefined ? description : `${description} (default: ${defaultValueDescription ?? String(defaultValue)})`;

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);

/** What a command says below its options, by paragraph. */
const afterHelp = (command: Command): string[] => {
  let text = '';
  // Commander is an emitter, though its types don't say so.
  (command as unknown as NodeJS.EventEmitter).emit('afterHelp', { error: false, command, write: (part: string) => (text += part) });
  for (const known of shared) text = text.replace(known, '');
  return text.split(/\n{2,}/).map((paragraph) => paragraph.replace(/^\n+|\s+$/g, '')).filter((paragraph) => paragraph !== '');
};
