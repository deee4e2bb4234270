// The gesture that zone and note share: draw a box, or press once for one of the usual size.
import type { BoardObject } from '../../protocol/generated';
import { between } from '../layout/geometry';
import { viewOf } from '../objects';
import type { Box } from '../types';
import type { Gesture, Input, ToolHost } from './tool';
import { isFar, roundBox, roundPoint } from './tool';

const LEAST = 48;

export const drawBox = (start: Input, host: ToolHost, usual: { width: number; height: number }, make: (box: Box) => BoardObject): Gesture => ({
  move: input => host.overlay.draft(isFar(start.screen, input.screen) ? between(start.board, input.board) : null),
  up(input) {
    host.overlay.draft(null);
    const drawn = between(start.board, input.board);
    const box = isFar(start.screen, input.screen)
      ? { ...drawn, width: Math.max(LEAST, drawn.width), height: Math.max(LEAST, drawn.height) }
      : { ...usual, x: start.board.x, y: start.board.y };
    const made = make(roundBox(box));
    const id = host.board.add(viewOf(made).isContainer ? made : { ...made, ...roundPoint(host.scene.layout.landing(box).at) });
    host.commands.setTool('select');
    host.commands.select([id]);
    host.edit(id);
  },
  cancel: () => host.overlay.draft(null),
});
