/** Waiting for something that is seen only by asking again: the one asked may be away meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';

const betweenMs = 250;

/** Asks until the answer fits, and returns it. A failing question is asked again. @throws Error with the last answer or failure */
export const until = async <Answer>(what: string, ask: () => Promise<Answer>, fits: (answer: Answer) => boolean, timeoutMs = 90_000): Promise<Answer> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (fits(answer)) return answer;
      last = JSON.stringify(answer);
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1_000} s; at last: ${String(last)}`);
    await delay(betweenMs);
  }
};
