import { describe, expect, it } from 'vitest';

import type { SearchHit } from '../../protocol/generated.js';
import { asQuery, lineOf } from './search.js';

describe('what is typed', () => {
  it.each([
    ['load orders', 'load orders*'],
    ['load orders ', 'load orders'],
    ['or', 'or'],
    ['orders*', 'orders*'],
    ['"load orders"', '"load orders"'],
    [' élan', 'élan*'],
    ['', ''],
  ])('%j asks for %j', (typed, query) => expect(asQuery(typed)).toBe(query));
});

describe('the line of a hit', () => {
  const line = (...snippet: SearchHit['snippet']) => lineOf({ snippet } as unknown as SearchHit);

  it('begins shortly before the first found word', () => {
    const parts = line(
      { text: '…', isMatch: false },
      { text: 'a long way before it comes: the ', isMatch: false },
      { text: 'orders', isMatch: true },
    );
    expect(parts.map(part => part.text)).toEqual(['…ay before it comes: the ', 'orders']);
  });

  it('is the snippet when that begins with it', () => {
    const snippet = [
      { text: 'the ', isMatch: false },
      { text: 'orders', isMatch: true },
    ];
    expect(line(...snippet)).toEqual(snippet);
    expect(line()).toEqual([]);
  });
});
