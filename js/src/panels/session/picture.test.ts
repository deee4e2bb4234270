import { expect, it } from 'vitest';

import { fitted } from './picture.js';

it.each([
  [640, 320, 640, 320],
  [1568, 10, 1568, 10],
  [3136, 1568, 1568, 784],
  [100, 15_680, 10, 1568],
  [100_000, 1, 1568, 1],
])('%i × %i becomes %i × %i', (width, height, wide, high) => {
  expect(fitted(width, height)).toEqual({ width: wide, height: high });
});
