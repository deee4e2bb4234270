// Names in a template: completed where one is written, and nowhere else.
import { describe, expect, it } from 'vitest';

import { complete, insert, pieces, unknownName } from './template';

const NAMES = [
  { name: 'worktree.branch', kind: 'text' },
  { name: 'worktree.context', kind: 'map' },
  { name: 'worktree.context.schema', kind: 'text' },
  { name: 'user.name', kind: 'text' },
];
const offered = (text: string): string[] => complete(text, text.length, NAMES)?.names.map(({ name }) => name) ?? [];

describe('complete', () => {
  it.each([
    ['Build {{ worktree.con', ['worktree.context', 'worktree.context.schema']],
    ['{{ na', ['user.name']],
    ['{% if user', ['user.name']],
    ['{{', ['worktree.branch', 'worktree.context', 'worktree.context.schema', 'user.name']],
    ['worktree.con', []],
    ['{{ user.name }} worktree', []],
    ['{{ user.name', []],
  ])('%s', (text, expected) => {
    expect(offered(text)).toEqual(expected);
  });

  it('puts the name in the place of the word, and closes what was opened', () => {
    const text = 'On {{ worktree.b';
    const found = complete(text, text.length, NAMES);

    expect(found && insert(text, found, 'worktree.branch')).toEqual({ text: 'On {{ worktree.branch }}', caret: 24 });
  });

  it('does not close twice', () => {
    const text = 'On {{ wor }} now';
    const found = complete(text, 9, NAMES);

    expect(found && insert(text, found, 'worktree.branch').text).toBe('On {{ worktree.branch }} now');
  });
});

describe('a name that is not known', () => {
  it('is found with the nearest one', () => {
    const text = 'Build\ninto {{ worktree.brunch }}';
    const found = unknownName(text, NAMES);

    expect(found?.nearest).toBe('worktree.branch');
    expect(text.slice(found?.from, found?.to)).toBe('worktree.brunch');
  });

  it.each(['{{ worktree.branch }}', '{{ worktree.context.anything }}', 'worktree.brunch', '{{ "a.b" }}', '{% if user.name %}x{% endif %}'])(
    '%s is none',
    text => {
      expect(unknownName(text, NAMES)).toBeNull();
    },
  );
});

it('pieces say all of it again', () => {
  const text = '{% if a %}Read {{ b }}{% endif %} and {{ c';

  expect(
    pieces(text)
      .map(piece => piece.text)
      .join(''),
  ).toBe(text);
  expect(pieces(text).map(({ kind }) => kind)).toEqual(['tag', 'text', 'value', 'tag', 'text', 'value']);
});
