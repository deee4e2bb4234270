import { describe, expect, it } from 'vitest';

import type { Permission } from '../../protocol/generated';
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
    ['/usr/bin/python3.11 scripts/x.py -v', '/usr/bin/python3.11 scripts/x.py'],
    ['git status', 'git status'],
    ['python -m pytest -q', 'python -m pytest'],
    ['bash -x run.sh --all', 'bash -x run.sh'],
    ['node', 'node'],
  ])('proposes for %j the prefix %j', (command, prefix) => {
    expect(shown(proposed(words(command) ?? []))).toBe(prefix);
  });

  it('shows words with blanks so that they can be typed again', () => {
    const prefix = ['echo', `it's here`, ''];

    expect(words(shown(prefix))).toEqual(prefix);
  });

  it('matches whole words only', () => {
    expect(begins(['dbt', 'build', '-s'], ['dbt', 'build'])).toBe(true);
    expect(begins(['dbt', 'builder'], ['dbt', 'build'])).toBe(false);
    expect(begins(['dbt'], ['dbt', 'build'])).toBe(false);
    expect(begins(['dbt'], [])).toBe(false);
  });
});

describe('what can be remembered', () => {
  const of = (ruleWords: string[] | null, ruleKind: string | null) => isMemorable({ ruleWords, ruleKind } as Permission);

  it('a command, which is every command where the server could not read its words', () => {
    expect(of(['dbt', 'build'], 'execute')).toBe(true);
    expect(of(null, 'execute')).toBe(true);
  });

  it('a kind of tool that a rule may allow', () => {
    expect(of(null, 'edit')).toBe(true);
    expect(of(null, null)).toBe(false);
  });
});
