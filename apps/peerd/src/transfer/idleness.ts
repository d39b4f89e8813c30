/**
 * How long a sender has let us wait for content, in days that this daemon has seen pass. Pure.
 *
 * A day counts once the clock is a day ahead of the last one that counted, and upkeep looks: however far the clock jumps, or however
 * long the daemon was off, that is one day. Links that come and go, restarts and a pause of the sender do not start it anew;
 * only bytes that were verified do.
 */
export interface Idleness {
  readonly days: number;
  /** Verified when the count began. */
  readonly bytes: number;
  /** When the last day counted, or the count began; milliseconds since 1970, 0 before the first look. */
  readonly at: number;
}

export const unlooked: Idleness = { days: 0, bytes: 0, at: 0 };

/** After so many days a transfer is given up. */
export const maxIdleDays = 30;

const dayMs = 86_400_000;

/** @returns `idleness` itself if nothing is to be noted */
export const lookedAt = (idleness: Idleness, bytesDone: number, now: number): Idleness => {
  const { days, bytes, at } = idleness;
  if (at === 0 || bytesDone > bytes) return { days: 0, bytes: bytesDone, at: now };
  // The clock was ahead before, or is behind now: the next day begins here.
  if (now < at) return { days, bytes, at: now };
  return now - at < dayMs ? idleness : { days: days + 1, bytes, at: now };
};
