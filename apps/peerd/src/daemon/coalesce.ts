/** One call for many that come close together. */
export interface Coalesced {
  readonly call: () => void;
  readonly cancel: () => void;
}

/** The action runs once, `ms` after the first of the calls that it stands for. */
export const coalesce = (action: () => void, ms: number): Coalesced => {
  let timer: NodeJS.Timeout | undefined;
  return {
    call: () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        action();
      }, ms);
    },
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
};
