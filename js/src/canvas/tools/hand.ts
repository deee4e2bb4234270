// Pan: the board follows the pointer.
import { panBy } from '../camera/camera';
import type { Tool } from './tool';

export const hand: Tool = {
  name: 'hand',
  label: 'Pan',
  icon: 'hand',
  key: 'H',
  cursor: 'grab',
  writes: false,
  press(start, host) {
    const camera = host.camera;
    return {
      move: input => host.setCamera(panBy(camera, input.screen.x - start.screen.x, input.screen.y - start.screen.y)),
      up: () => undefined,
      cancel: () => host.setCamera(camera),
    };
  },
};
