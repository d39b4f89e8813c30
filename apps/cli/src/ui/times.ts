/** Durations and points in time as people read them. */
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** `<1s`, `42s`, `3m 07s`, `2h 05m`, `4d 3h`. */
export const formatDuration = (ms: number): string => {
  if (ms < second) return '<1s';
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (ms < minute) return `${Math.floor(ms / second)}s`;
  if (ms < hour) return `${Math.floor(ms / minute)}m ${pad(Math.floor((ms % minute) / second))}s`;
  if (ms < day) return `${Math.floor(ms / hour)}h ${pad(Math.floor((ms % hour) / minute))}m`;
  return `${Math.floor(ms / day)}d ${Math.floor((ms % day) / hour)}h`;
};

/** `just now`, `5m ago`, `3h ago`, `2d ago`, then the date. A clock that is a little ahead is `just now`. */
export const formatAgo = (at: number, now: number): string => {
  const age = now - at;
  if (age < -minute || age >= 30 * day) return formatDate(at);
  if (age < 10 * second) return 'just now';
  if (age < minute) return `${Math.floor(age / second)}s ago`;
  if (age < hour) return `${Math.floor(age / minute)}m ago`;
  if (age < day) return `${Math.floor(age / hour)}h ago`;
  return `${Math.floor(age / day)}d ago`;
};

/** Local time: `2026-01-31 17:05`. */
export const formatDate = (at: number): string => {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'unknown';
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  return `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
};

/** Local time of day: `17:05`. */
export const formatClock = (at: number): string => formatDate(at).slice(-5);
