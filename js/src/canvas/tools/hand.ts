// Pan: the board follows the pointer.
import { panBy } from '../camera';
import type { Tool } from './tool';

export const hand: Tool = {
  name: 'hand',
  label: 'Pan',
  icon: 'hand',
  key: 'H',
  cursor: 'grab',
  writes: false,
  press(start, desk) {
    const camera = desk.camera;
    return {
      move: input => desk.setCamera(panBy(camera, input.screen.x - start.screen.x, input.screen.y - start.screen.y)),
      up: () => undefined,
      cancel: () => desk.setCamera(camera),
    };
  },
};
