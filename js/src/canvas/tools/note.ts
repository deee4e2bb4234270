// Write a note.
import { drawBox } from './draw';
import type { Tool } from './tool';

export const note: Tool = {
  name: 'note',
  label: 'Note',
  icon: 'note',
  key: 'N',
  cursor: 'crosshair',
  writes: true,
  press: (input, desk) => drawBox(input, desk, { width: 264, height: 120 }, box => ({ kind: 'note', ...box, text: '', color: '' })),
};
