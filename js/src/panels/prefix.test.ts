import { describe, expect, it } from 'vitest';

import type { Permission } from '../protocol/generated';
import { begins, isMemorable, proposed, shown, words } from './prefix';

describe('the words of a command', () => {
  it.each([
    ['dbt build -s orders', ['dbt', 'build', '-s', 'orders']],
    [`git commit -m 'two words' --no-verify`, ['git', 'commit', '-m', 'two words', '--no-verify']],
    [`echo "a \\"b\\"" c\\ d ''`, ['echo', 'a "b"', 'c d', '']],
    ['  ls  ', ['ls']],
  ])('splits %j as a shell does', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('knows that a quote does not close', () => {
    expect(words(`echo 'a`)).toBeNull();
  });

  it.each([
    ['dbt build --full-refresh', 'dbt build'],
    ['pytest -q tests', 'pytest'],
    ['/usr/bin/python scripts/x.py', '/usr/bin/python'],
    ['git status', 'git status'],
  ])('proposes for %j the prefix %j', (command, prefix) => {
    expect(shown(proposed(command))).toBe(prefix);
  });

  it('shows words with blanks so that they can be typed again', () => {
    const prefix = ['echo', `it's here`, ''];

    expect(words(shown(prefix))).toEqual(prefix);
  });

  it('matches whole words only', () => {
    expect(begins('dbt build -s a', ['dbt', 'build'])).toBe(true);
    expect(begins('dbt builder', ['dbt', 'build'])).toBe(false);
    expect(begins('dbt', ['dbt', 'build'])).toBe(false);
    expect(begins('dbt', [])).toBe(false);
  });
});

describe('what can be remembered', () => {
  const of = (command: string | null, toolKind = 'execute') => isMemorable({ command, toolKind } as Permission);

  it('never a command that joins, pipes or redirects', () => {
    for (const command of ['ls; rm x', 'a && b', 'a | b', 'echo $(id)', 'echo `id`', 'a > b', 'a\nb']) expect(of(command)).toBe(false);
    expect(of('dbt build')).toBe(true);
  });

  it('an edit by its kind, and not a command that is not known', () => {
    expect(of(null, 'edit')).toBe(true);
    expect(of(null, 'execute')).toBe(false);
  });
});
