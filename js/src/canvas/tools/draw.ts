// The gesture that zone and note share: draw a box, or press once for one of the usual size.
import type { BoardObject } from '../../protocol/generated';
import { between } from '../geometry';
import type { Box } from '../types';
import type { Desk, Gesture, Input } from './tool';
import { isFar, roundBox, roundPoint } from './tool';

const LEAST = 48;

export const drawBox = (start: Input, desk: Desk, usual: { width: number; height: number }, make: (box: Box) => BoardObject): Gesture => ({
  move: input => desk.overlay.draft(isFar(start.screen, input.screen) ? between(start.board, input.board) : null),
  up(input) {
    desk.overlay.draft(null);
    const drawn = between(start.board, input.board);
    const box = isFar(start.screen, input.screen)
      ? { ...drawn, width: Math.max(LEAST, drawn.width), height: Math.max(LEAST, drawn.height) }
      : { ...usual, x: start.board.x, y: start.board.y };
    const made = make(roundBox(box));
    const id = desk.board.add(made.kind === 'zone' ? made : { ...made, ...roundPoint(desk.scene.landing(box).at) });
    desk.commands.setTool('select');
    desk.commands.select([id]);
    desk.edit(id);
  },
  cancel: () => desk.overlay.draft(null),
});
