// Draw a zone.
import { newZone, ZONE_SIZE } from '../objects/zone';
import { drawBox } from './draw';
import type { Tool } from './tool';

export const zone: Tool = {
  name: 'zone',
  label: 'Zone',
  icon: 'zone',
  key: 'Z',
  cursor: 'crosshair',
  writes: true,
  press: (input, host) => drawBox(input, host, ZONE_SIZE, newZone),
};
