// Two people who change one policy at once.
import { expect, it } from 'vitest';

import { changed, merge } from './merge';
import { PLAIN } from './policy';

it('keeps what each of them changed', () => {
  const { policy, conflicts } = merge(PLAIN, { ...PLAIN, prompt: 'mine' }, { ...PLAIN, limit: 3 });

  expect(policy).toEqual({ ...PLAIN, prompt: 'mine', limit: 3 });
  expect(conflicts).toEqual([]);
});

it('tells of what both changed, and keeps mine until it is said otherwise', () => {
  const { policy, conflicts } = merge(PLAIN, { ...PLAIN, prompt: 'mine', agent: 'claude' }, { ...PLAIN, prompt: 'theirs', agent: 'claude' });

  expect(policy.prompt).toBe('mine');
  expect(conflicts).toEqual(['prompt']);
});

it('knows every field', () => {
  const other = Object.fromEntries(Object.keys(PLAIN).map(name => [name, '?'])) as never;

  expect(changed(PLAIN, other).sort()).toEqual(Object.keys(PLAIN).sort());
});

it('takes fields in another order for the same, as the document gives them back', () => {
  const [mine, theirs] = [
    { ...PLAIN, gates: [{ kind: 'command' as const, run: 'pytest', when: 'after' as const }], options: { model: 'a', mode: 'b' } },
    { ...PLAIN, gates: [{ when: 'after' as const, run: 'pytest', kind: 'command' as const }], options: { mode: 'b', model: 'a' } },
  ];

  expect(changed(mine, theirs)).toEqual([]);
  expect(merge(PLAIN, mine, theirs).conflicts).toEqual([]);
  expect(changed(mine, { ...theirs, options: { mode: 'b' } })).toEqual(['options']);
  expect(changed(mine, { ...theirs, gates: [...theirs.gates, ...theirs.gates] })).toEqual(['gates']);
});
