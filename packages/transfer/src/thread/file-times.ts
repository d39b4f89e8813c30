/**
 * Times for `utimes` calls. Node takes them as a double in seconds: near today its resolution is 0.24 µs, so a
 * nanosecond can't be kept, but the microsecond can.
 */

/** Nanoseconds within the second that libuv makes of a double: truncation toward zero, then a borrow for negative ones. */
const readBack = (seconds: number): { seconds: number; nanoseconds: number } => {
  const whole = Math.trunc(seconds);
  const nanoseconds = Math.trunc((seconds - whole) * 1e9);
  return nanoseconds < 0 ? { seconds: whole - 1, nanoseconds: nanoseconds + 1e9 } : { seconds: whole, nanoseconds };
};

/** @returns what reads back as the same microsecond. Negative times are strings: Node replaces a negative number by now. */
export const utimesArgument = (seconds: number, nanoseconds: number): number | string => {
  const exact = seconds + nanoseconds / 1e9;
  const step = 2 ** (Math.floor(Math.log2(Math.max(1, Math.abs(exact)))) - 52);
  const microsecond = Math.floor(nanoseconds / 1_000);
  const fits = (value: number): boolean => {
    const back = readBack(value);
    return back.seconds === seconds && Math.floor(back.nanoseconds / 1_000) === microsecond;
  };
  const value = fits(exact) ? exact : ([1, -1, 2, -2].map((steps) => exact + steps * step).find(fits) ?? exact);
  return value < 0 ? String(value) : value;
};

/** A file system without modes, times or links, such as FAT, refuses this way. */
export const isUnsupported = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'].includes(String(error.code));
