// Which key asks the board for what. Pure; a letter means something only while the board has the focus. What works everywhere in a view
// is in `panels/common/keys.ts`.
import type { ToolName } from '../../store/types';
import type { Direction } from '../layout/geometry';

export type KeyAction =
  | { readonly do: 'tool'; readonly tool: ToolName }
  | { readonly do: 'next' | 'previous' | 'open' | 'close' | 'fit' | 'zoom-selection' | 'actual' | 'zoom-in' | 'zoom-out' }
  | {
      readonly do:
        | 'new-worktree'
        | 'new-session'
        | 'prompt'
        | 'changes'
        | 'carry'
        | 'archive'
        | 'delete'
        | 'duplicate'
        | 'undo'
        | 'redo'
        | 'select-all';
    }
  | { readonly do: 'arrow'; readonly direction: Direction; readonly by: number }
  | { readonly do: 'answer'; readonly with: 'allow_once' | 'allow_always' | 'reject_once' };

export interface Key {
  readonly key: string;
  readonly code: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

const LETTERS: Readonly<Record<string, KeyAction>> = {
  v: { do: 'tool', tool: 'select' },
  h: { do: 'tool', tool: 'hand' },
  z: { do: 'tool', tool: 'zone' },
  n: { do: 'tool', tool: 'note' },
  w: { do: 'new-worktree' },
  s: { do: 'new-session' },
  p: { do: 'prompt' },
  d: { do: 'changes' },
  e: { do: 'archive' },
  m: { do: 'carry' },
  '0': { do: 'actual' },
  '1': { do: 'answer', with: 'allow_once' },
  '2': { do: 'answer', with: 'allow_always' },
  '3': { do: 'answer', with: 'reject_once' },
  '+': { do: 'zoom-in' },
  '=': { do: 'zoom-in' },
  '-': { do: 'zoom-out' },
};

export const DIRECTIONS: Readonly<Record<string, Direction>> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };

export const actionOf = (key: Key): KeyAction | null => {
  if (key.altKey) return null;
  const letter = key.key.toLowerCase();
  if (key.ctrlKey || key.metaKey) {
    if (letter === 'z') return { do: key.shiftKey ? 'redo' : 'undo' };
    if (letter === 'y') return { do: 'redo' };
    if (letter === 'a') return { do: 'select-all' };
    if (letter === 'd') return { do: 'duplicate' };
    return null;
  }
  const direction = DIRECTIONS[key.key];
  if (direction) return { do: 'arrow', direction, by: key.shiftKey ? 20 : 4 };
  switch (key.key) {
    case 'Tab':
      return { do: key.shiftKey ? 'previous' : 'next' };
    case 'Enter':
      return { do: 'open' };
    case 'Escape':
      return { do: 'close' };
    case 'Delete':
    case 'Backspace':
      return { do: 'delete' };
  }
  // The digit above the letters, whatever Shift makes of it on this keyboard.
  if (key.shiftKey && key.code === 'Digit1') return { do: 'fit' };
  if (key.shiftKey && key.code === 'Digit2') return { do: 'zoom-selection' };
  return LETTERS[letter] ?? null;
};
