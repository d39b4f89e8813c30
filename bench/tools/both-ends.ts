/** A tool whose two ends are commands that two persons type at the same time. */
import { Command, type CommandOptions } from '../measure/command.ts';
import { addUsage, type Usage } from '../measure/usage.ts';

/** Ends when both have ended. When one fails, the other is ended too. */
export const bothEnds = async (sender: CommandOptions, receiver: CommandOptions): Promise<Usage> => {
  const commands = [new Command(sender), new Command(receiver)];
  try {
    return addUsage(...(await Promise.all(commands.map((command) => command.finished()))));
  } finally {
    for (const command of commands) command.kill();
  }
};
