// Numbers and times as people read them.

const seconds = (from: string, now: number): number => {
  const then = Date.parse(from);
  return Number.isFinite(then) ? Math.max(0, (now - then) / 1000) : 0;
};

/** How long something runs: “3:12”, from an hour on “1:02:40”. */
export const clock = (since: string, now: number): string => {
  const total = Math.floor(seconds(since, now));
  const s = String(total % 60).padStart(2, '0');
  const m = Math.floor(total / 60) % 60;
  const h = Math.floor(total / 3600);
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
};

/** How old something is: “now”, “8 min”, “6 h”, “3 d”. */
export const age = (at: string, now: number): string => {
  const s = seconds(at, now);
  if (s < 60) return 'now';
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
};

export const isOlder = (at: string, thanSeconds: number, now: number): boolean => seconds(at, now) > thanSeconds;

/** How long a wait takes so far: “12 s”, then “3:12”. */
export const wait = (since: string, now: number): string => {
  const s = Math.floor(seconds(since, now));
  return s < 60 ? `${s} s` : clock(since, now);
};

/** How long until then: “0:42”, “12:05”, from an hour on “1:02:40”. */
export const left = (until: string, now: number): string => {
  const then = Date.parse(until);
  return Number.isFinite(then) ? clock(new Date(now).toISOString(), Math.max(now, Math.ceil((then - now) / 1000) * 1000 + now)) : '';
};

/** The hour of a moment in this place: “11:02”. */
export const hour = (at: string): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '' : `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
};

export const dollars = (amount: number, isEstimate = false): string => `${isEstimate ? '≈ ' : ''}$${amount.toFixed(2)}`;

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

export const ordinal = (n: number): string => {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[n % 10] ?? 'th');
  return `${n}${tail}`;
};
