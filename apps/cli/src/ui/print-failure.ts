import type { Failure } from '../client/failure.ts';
import type { Output } from './output.ts';

/** Text: `error:` and `hint:` lines. `--json`: the error document as the last line of stderr. */
export const printFailure = (output: Output, failure: Failure): void => {
  const { stderr, errorColors } = output;
  if (output.json) {
    stderr.write(`${JSON.stringify({ error: failure })}\n`);
    return;
  }
  stderr.write(`${errorColors.red('error:')} ${failure.message}\n`);
  if (failure.hint !== null && failure.hint !== '') stderr.write(`${errorColors.cyan('hint:')} ${failure.hint}\n`);
};
