// Whose a key is while the focus is in a board: the board's and its panels', but for the shortcuts of JupyterLab that they have no use for.
import { actionOf } from '../canvas/input/keyboard.js';
import { globalKeyOf } from '../panels/common/keys.js';

const EDITING = new Set(['a', 'c', 'v', 'x', 'y', 'z']);

/** Saving, the command palette, a side bar: with a modifier, and neither ours nor the browser's own for text. */
export function isTheirs(event: KeyboardEvent): boolean {
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  // What is no character, such as Enter, would run the cell around the board.
  if (!isModified || event.key.length !== 1) return false;
  const letter = event.key.toLowerCase();
  if (letter === 's' && !event.altKey) return true;
  const isTyping = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable="true"]') !== null;
  const isEditing = EDITING.has(letter) && (!event.shiftKey || letter === 'z');
  return !isTyping && !isEditing && actionOf(event) === null && globalKeyOf(event, false) === null;
}

/** JupyterLab looks for this attribute above the target, in the capture phase of the document. Returns its own undo. */
export function keepShortcuts(place: HTMLElement): () => void {
  place.dataset['lmSuppressShortcuts'] = 'true';
  const follow = (event: KeyboardEvent): void => {
    if (!(event.target instanceof Node) || !place.contains(event.target)) return;
    if (isTheirs(event)) delete place.dataset['lmSuppressShortcuts'];
    else place.dataset['lmSuppressShortcuts'] = 'true';
  };
  window.addEventListener('keydown', follow, { capture: true });
  return () => window.removeEventListener('keydown', follow, { capture: true });
}
