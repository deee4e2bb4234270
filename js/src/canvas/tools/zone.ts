// Draw a zone.
import { drawBox } from './draw';
import type { Tool } from './tool';

export const zone: Tool = {
  name: 'zone',
  label: 'Zone',
  icon: 'zone',
  key: 'Z',
  cursor: 'crosshair',
  writes: true,
  press: (input, desk) => drawBox(input, desk, { width: 296, height: 560 }, box => ({ kind: 'zone', ...box, name: 'Zone', color: '' })),
};
