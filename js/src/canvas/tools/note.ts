// Write a note.
import { NOTE_SIZE, newNote } from '../objects/note';
import { drawBox } from './draw';
import type { Tool } from './tool';

export const note: Tool = {
  name: 'note',
  label: 'Note',
  icon: 'note',
  key: 'N',
  cursor: 'crosshair',
  writes: true,
  press: (input, host) => drawBox(input, host, NOTE_SIZE, newNote),
};
