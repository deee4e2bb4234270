// Moments and spans of time in words: the only module that puts them so. Pure; the clock is handed in. A moment is an ISO text, `now` is in
// milliseconds; a moment that cannot be read counts as now.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

const seconds = (from: string, to: number): number => {
  const then = Date.parse(from);
  return Number.isFinite(then) ? Math.max(0, (to - then) / 1000) : 0;
};

const two = (n: number): string => String(n).padStart(2, '0');

/** A number of seconds on a clock: “3:12”, from an hour on “1:02:40”. */
export const elapsed = (total: number): string => {
  const whole = Number.isFinite(total) ? Math.max(0, Math.floor(total)) : 0;
  const rest = `${Math.floor(whole / MINUTE) % MINUTE}:${two(whole % MINUTE)}`;
  const hours = Math.floor(whole / HOUR);
  return hours > 0 ? `${hours}:${rest.padStart(5, '0')}` : rest;
};

/** How long something runs: “3:12”. */
export const clock = (since: string, now: number): string => elapsed(seconds(since, now));

/** How old something is, beside other figures: “now”, “8 min”, “6 h”, “3 d”. */
export const age = (at: string, now: number): string => {
  const s = seconds(at, now);
  if (s < MINUTE) return 'now';
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < DAY) return `${Math.floor(s / HOUR)} h`;
  return `${Math.floor(s / DAY)} d`;
};

/** The same in a sentence: “just now”, “8 min ago”. */
export const ago = (at: string, now: number): string => (seconds(at, now) < MINUTE ? 'just now' : `${age(at, now)} ago`);

/** How long nothing has happened: “a while”, “8 min”. */
export const lasting = (since: string, now: number): string => (seconds(since, now) < MINUTE ? 'a while' : age(since, now));

export const isOlder = (at: string, thanSeconds: number, now: number): boolean => seconds(at, now) > thanSeconds;

/** How long a wait takes so far: “12 s”, then “3:12”. */
export const wait = (since: string, now: number): string => {
  const s = Math.floor(seconds(since, now));
  return s < MINUTE ? `${s} s` : elapsed(s);
};

/** How long until then, rounded up: “0:42”, “12:05”; nothing for a moment that cannot be read. */
export const left = (until: string, now: number): string => {
  const then = Date.parse(until);
  return Number.isFinite(then) ? elapsed(Math.ceil((then - now) / 1000)) : '';
};

/** How long a tool ran: “0.4 s”, “12 s”, “2:06”. */
export const took = (from: string, to: string): string => {
  const s = seconds(from, Date.parse(to));
  if (s < 9.95) return `${s.toFixed(1)} s`;
  return Math.round(s) < MINUTE ? `${Math.round(s)} s` : elapsed(s);
};

/** The hour of a moment in this place: “11:02”, or “11:02:09”. */
export const hour = (at: string, withSeconds = false): string => {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  return [date.getHours(), date.getMinutes(), ...(withSeconds ? [date.getSeconds()] : [])].map(two).join(':');
};

/** A moment that may be on another day, in this place: “2026-03-04 11:02”. */
export const moment = (at: string): string => (hour(at) ? `${day(at)} ${hour(at)}` : '');

/** “2026-03-04”, in this place. */
export const day = (at: string): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '' : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
};

/** The time zone of whoever looks, such as “Europe/Vienna”. */
export const personZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** As a form's field has a moment: “2026-03-04T11:02”, in this place. */
export const fieldMoment = (at: string): string => moment(at).replace(' ', 'T');

/** The seven midnights of the week that `now` is in, `weeks` later, and the one after them. It begins on Monday. */
export const weekOf = (now: number, weeks = 0): Date[] => {
  const date = new Date(now);
  const monday = date.getDate() - ((date.getDay() + 6) % 7) + 7 * weeks;
  return Array.from({ length: 8 }, (_, n) => new Date(date.getFullYear(), date.getMonth(), monday + n));
};

/** “Wed 4”, in this place. */
export const weekday = (date: Date): string => `${date.toLocaleDateString('en', { weekday: 'short' })} ${date.getDate()}`;

/** “30 Nov to 6 Dec 2026”, in this place. */
export const span = (first: Date, last: Date): string => {
  const part = (date: Date, ...more: ('month' | 'year')[]) =>
    [date.getDate(), more.includes('month') ? date.toLocaleDateString('en', { month: 'short' }) : '', more.includes('year') ? date.getFullYear() : '']
      .filter(Boolean)
      .join(' ');
  const isOneYear = first.getFullYear() === last.getFullYear();
  const from = isOneYear ? (first.getMonth() === last.getMonth() ? part(first) : part(first, 'month')) : part(first, 'month', 'year');
  return `${from} to ${part(last, 'month', 'year')}`;
};
