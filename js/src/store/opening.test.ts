import { expect, test } from 'vitest';

import { ApiError } from '../transport/http';
import { afterOpening, type Happening, type Opening } from './opening';

const unreachable = new ApiError('unreachable', 'The server cannot be reached just now.');
const starting = new ApiError('starting', 'Agor is starting.', 503);
const missing = new ApiError('board_not_found', 'There is no board.', 404);
const noExtension = new ApiError('not_found', 'The server has no such thing.', 404);
const forbidden = new ApiError('forbidden', 'You may not.', 403);

const table: readonly (readonly [from: Opening['kind'], what: Happening, to: Opening['kind']])[] = [
  ['opening', 'opened', 'open'],
  ['opening', unreachable, 'server'],
  ['opening', starting, 'server'],
  ['opening', missing, 'board'],
  ['opening', forbidden, 'refused'],
  ['opening', noExtension, 'refused'],
  ['server', missing, 'board'],
  ['server', 'opened', 'open'],
  ['board', unreachable, 'server'],
  ['board', missing, 'board'],
  ['board', 'taken away', 'board'],
  ['board', 'opened', 'open'],
  ['open', 'taken away', 'gone'],
  ['open', missing, 'gone'],
  ['open', unreachable, 'open'],
  ['gone', missing, 'gone'],
  ['gone', unreachable, 'gone'],
  ['gone', 'opened', 'open'],
  ['refused', 'tried again', 'opening'],
  ['board', 'tried again', 'board'],
  ['refused', 'opened', 'open'],
];

test.each(table)('from %s, after %o, it is %s', (from, what, to) => {
  const before = (from === 'refused' ? { kind: from, problem: forbidden } : { kind: from }) as Opening;

  expect(afterOpening(before, what).kind).toBe(to);
});
