import { type Command, createArgument } from 'commander';
import type { Run } from '../context.ts';
import { examples } from './usage.ts';

export const addCompletion = (program: Command, run: Run): void => {
  program
    .command('completion')
    .summary('print the completion script of a shell')
    .description('Prints the script with which a shell completes commands, options, peers, ids and files when the Tab key is pressed. The installation of peerd puts it into its place already.')
    .addArgument(createArgument('<SHELL>', 'for which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      examples(
        ['eval "$(peerctl completion bash)"', 'in ~/.bashrc'],
        ['eval "$(peerctl completion zsh)"', 'in ~/.zshrc, behind compinit'],
        ['peerctl completion fish | source', 'in ~/.config/fish/config.fish'],
      ),
    )
    .action(
      run(async ({ output }, shell: 'bash' | 'zsh' | 'fish') => {
        const { completionScripts } = await import('../completion/scripts.ts');
        if (output.json) return output.document({ shell, script: completionScripts[shell] });
        output.stdout.write(completionScripts[shell]);
      }),
    );
};
