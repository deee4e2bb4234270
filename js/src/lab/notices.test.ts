// What waits for a person is told once, while nobody sees the board.
import { beforeEach, expect, it } from 'vitest';

import { Notices } from './notices';

let center: { shown: Map<string, string>; emitted: number };
let notices: Notices;
let isSeen: boolean;

const need = (id: string) => ({ id, kind: 'question' as const, text: `Claude asks to run ${id}` });
const failure = (id: string) => ({ id, kind: 'failure' as const, text: `Claude failed in ${id}` });
const slot = (id: string) => ({ id, kind: 'slot' as const, text: `Slot ${id} of nightly passed` });

beforeEach(() => {
  center = { shown: new Map(), emitted: 0 };
  isSeen = false;
  const port = {
    emit: (message: string) => {
      const id = `n${++center.emitted}`;
      center.shown.set(id, message);
      return id;
    },
    update: ({ id, message }: { id: string; message: string }) => center.shown.has(id) && Boolean(center.shown.set(id, message)),
    dismiss: (id: string) => void center.shown.delete(id),
  };
  notices = new Notices('work/shop.agor', port, () => undefined);
  notices.join(() => isSeen);
});
const shown = () => [...center.shown.values()];

it('is one notice for a board, kept up to date, and gone with the last question', () => {
  notices.take([need('a')]);
  expect(shown()).toEqual(['Claude asks to run a, on shop.agor']);

  notices.take([need('a'), need('b')]);
  expect(shown()).toEqual(['2 questions wait for you on shop.agor']);
  notices.take([need('b')]);
  expect(shown()).toEqual(['Claude asks to run b, on shop.agor']);
  notices.take([]);

  expect(shown()).toEqual([]);
  expect(center.emitted).toBe(1);
});

it('is not told while the board is seen, nor again when it is hidden after', () => {
  isSeen = true;
  notices.take([need('a')]);
  isSeen = false;
  notices.look();

  expect(center.emitted).toBe(0);
  notices.take([need('a'), need('b')]);
  expect(center.emitted).toBe(1);
});

it('goes when somebody looks, and does not come back for the same', () => {
  notices.take([need('a')]);
  isSeen = true;
  notices.look();
  isSeen = false;
  notices.look();

  expect(shown()).toEqual([]);
  expect(center.emitted).toBe(1);
});

it('that a person has closed stays closed until there is something new', () => {
  notices.take([need('a')]);
  center.shown.clear();
  notices.look();
  expect(shown()).toEqual([]);

  notices.take([need('a'), need('b')]);
  expect(shown()).toEqual(['2 questions wait for you on shop.agor']);
});

it('is silent while any view of the board is seen, and ends with the last view', () => {
  const leave = notices.join(() => true);
  notices.take([need('a')]);
  expect(center.emitted).toBe(0);
  leave();
  notices.take([need('a'), need('b')]);

  expect(center.emitted).toBe(1);
});

it('tells what asks nothing as well, until somebody has seen it, and nothing that was there before', () => {
  notices.take([failure('old')]);
  expect(shown()).toEqual([]);

  notices.take([failure('old'), failure('a')]);
  expect(shown()).toEqual(['Claude failed in a, on shop.agor']);
  notices.take([failure('old'), failure('a'), slot('1'), slot('2'), need('q')]);
  expect(shown()).toEqual(['1 failure, 2 finished slots and 1 question on shop.agor']);
  isSeen = true;
  notices.look();
  isSeen = false;
  notices.take([failure('old'), failure('a'), slot('1'), slot('2'), need('q'), need('r')]);

  expect(shown()).toEqual(['2 questions wait for you on shop.agor']);
});
