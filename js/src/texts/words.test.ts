// Ages, money, counts and questions are put into words here, and nowhere else.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';

import { age, ago, clock, day, elapsed, hour, isOlder, lasting, left, moment, took, wait } from './ages';
import { count, files, ordinal, size } from './counts';
import { money } from './money';
import { question, questionOf, shortQuestion } from './questions';

const NOW = Date.parse('2026-01-02T12:00:00Z');
const past = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

describe('how old something is', () => {
  it.each([
    [0, 'now', 'just now'],
    [15, 'now', 'just now'],
    [45, 'now', 'just now'],
    [59.9, 'now', 'just now'],
    [60, '1 min', '1 min ago'],
    [119, '1 min', '1 min ago'],
    [3599, '59 min', '59 min ago'],
    [3600, '1 h', '1 h ago'],
    [86_399, '23 h', '23 h ago'],
    [86_400, '1 d', '1 d ago'],
    [-30, 'now', 'just now'],
  ])('%d s', (seconds, short, long) => {
    expect(age(past(seconds), NOW)).toBe(short);
    expect(ago(past(seconds), NOW)).toBe(long);
    expect(lasting(past(seconds), NOW)).toBe(short === 'now' ? 'a while' : short);
  });

  it('is now for a moment that cannot be read', () => {
    expect(age('nonsense', NOW)).toBe('now');
    expect(ago('nonsense', NOW)).toBe('just now');
    expect(isOlder('nonsense', 0, NOW)).toBe(false);
  });
});

describe('how long something takes', () => {
  it.each([
    [0, '0:00', '0 s', '0.0 s'],
    [0.42, '0:00', '0 s', '0.4 s'],
    [9.96, '0:09', '9 s', '10 s'],
    [42, '0:42', '42 s', '42 s'],
    [59.7, '0:59', '59 s', '0:59'],
    [192, '3:12', '3:12', '3:12'],
    [3600, '1:00:00', '1:00:00', '1:00:00'],
    [93_784, '26:03:04', '26:03:04', '26:03:04'],
  ])('%d s', (seconds, running, waiting, tool) => {
    expect(elapsed(seconds)).toBe(running);
    expect(clock(past(seconds), NOW)).toBe(running);
    expect(wait(past(seconds), NOW)).toBe(waiting);
    expect(took(past(seconds), new Date(NOW).toISOString())).toBe(tool);
  });

  it('counts down to zero, and rounds up', () => {
    expect(left(past(-42), NOW)).toBe('0:42');
    expect(left(past(-0.2), NOW)).toBe('0:01');
    expect(left(past(5), NOW)).toBe('0:00');
    expect(left('nonsense', NOW)).toBe('');
  });
});

test('a moment has the hour and the day of this place', () => {
  const at = new Date(2026, 2, 4, 9, 5, 7).toISOString();

  expect(hour(at)).toBe('09:05');
  expect(hour(at, true)).toBe('09:05:07');
  expect(day(at)).toBe('2026-03-04');
  expect(moment(at)).toBe('2026-03-04 09:05');
  expect([hour('?'), day('?'), moment('?')]).toEqual(['', '', '']);
});

test.each([
  [null, ''],
  [0, '$0.00'],
  [-0, '$0.00'],
  [0.000_01, '< $0.0001'],
  [0.004, '$0.0040'],
  [0.0049, '$0.0049'],
  [0.005, '$0.01'],
  [0.3, '$0.30'],
  [12.345, '$12.35'],
])('%s dollars', (usd, said) => {
  expect(money(usd)).toBe(said);
  expect(money(usd, true)).toBe(said && `≈ ${said}`);
});

test('counts have their noun', () => {
  expect([files(1), files(0), files(1204), count(2, 'branch', 'branches')]).toEqual(['1 file', '0 files', '1,204 files', '2 branches']);
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 112].map(ordinal)).toEqual(['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '22nd', '112th']);
  expect([1, 812, 4100, 999_949, 999_950, 2_000_000].map(size)).toEqual(['1 byte', '812 bytes', '4.1 kB', '999.9 kB', '1.0 MB', '2.0 MB']);
});

test.each([
  ['execute', 'Asks to run a command', 'Run a command?'],
  ['edit', 'Asks to change a file', 'Change a file?'],
  ['delete', 'Asks to delete a file', 'Delete a file?'],
  ['move', 'Asks to move a file', 'Move a file?'],
  ['read', 'Asks to read a file', 'Read a file?'],
  ['search', 'Asks to search', 'Search?'],
  ['fetch', 'Asks to fetch from the web', 'Fetch from the web?'],
  ['trust', 'Wants to load untrusted files', 'Trust files?'],
  ['think', 'Asks for permission', 'Asks for permission'],
  ['constructor', 'Asks for permission', 'Asks for permission'],
])('a question of the kind %s', (kind, long, short) => {
  expect(question(kind)).toBe(long);
  expect(shortQuestion(kind)).toBe(short);
  expect(questionOf('Codex', kind)).toBe(`Codex ${long.charAt(0).toLowerCase()}${long.slice(1)}`);
  expect(questionOf('', kind)).toMatch(/^The agent /);
});

/** What a second formatter would be made of, and the one file that may hold it. */
const FORMATTERS: readonly (readonly [RegExp, string])[] = [
  [/\$\$\{/, 'money.ts'],
  [/(?<!-)\btoFixed\(2\)/, 'money.ts'],
  [/\bIntl\.|toLocale(?:Time|Date)String|\bRelativeTimeFormat\b/, 'ages.ts'],
  [/\.get(?:Hours|Minutes|Seconds|FullYear)\(/, 'ages.ts'],
  [/\bago\b['`]|['"`]\s*(?:just )?now['"`]\s*\?|=== 'now'/, 'ages.ts'],
  [/\$\{[^}]*\} (?:min|h|d)['`]/, 'ages.ts'],
  [/\.toLocaleString\(/, 'counts.ts'],
  [/n === 1 \? '1 file'|'1st'|'th', 'st'/, 'counts.ts'],
  [/[Aa]sks to (?:run|change|delete|move|read|search|fetch)|[Ww]ants to load untrusted/, 'questions.ts'],
];

const sources = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name) ? [path] : [];
  });

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

test.each(FORMATTERS)('nobody else has %s', (formatter, owner) => {
  const found = sources('src').filter(path => !path.startsWith('src/protocol/') && formatter.test(withoutComments(readFileSync(path, 'utf8'))));

  expect(found.filter(path => path !== `src/texts/${owner}`)).toEqual([]);
});
