// How high a card will be, near enough to place and cull by before it was seen: what the style sheet makes of its content.
import type { CardContent } from '../../store/cards';
import type { Row } from '../../store/rows';
import type { Strip } from '../../store/strips';

const CHARACTERS_IN_LINE = 27;

const lines = (text: string, width: number, most = 99): number => Math.min(most, Math.max(1, Math.ceil(text.length / width)));

const rowsHeight = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + 24 + (row.line ? 18 : 0) + rowsHeight(row.children), 0);

const stripHeight = (strip: Strip): number => {
  switch (strip.kind) {
    case 'ask':
      return 26 + 16 + 14 + (strip.actions.length ? 24 : 0) + lines(strip.command || strip.text, 36) * 16;
    case 'fail':
    case 'rest':
      return 26 + 16 + (strip.text ? 10 + lines(strip.text, 40) * 16 : 8) + (strip.actions.length ? 24 : 0);
    case 'info':
      return 42;
    case 'plain':
      return 22 + 24 + (strip.text ? 8 + lines(strip.text, 42) * 16 : 0);
  }
};

export const heightOf = (card: CardContent): number =>
  10 +
  lines(card.title, CHARACTERS_IN_LINE, 2) * 18 +
  18 +
  (card.pills.length ? 28 : 0) +
  (card.steps.length ? 24 + card.steps.length * 22 : 0) +
  (card.rows.length ? 10 + rowsHeight(card.rows) + (card.folded ? 24 : 0) : 0) +
  (card.zone ? 6 + lines(card.zone.text, 38) * 16 : 0) +
  (card.environment ? 26 : 0) +
  (card.strip ? stripHeight(card.strip) : 0) +
  (card.foot ? 37 : 8);
