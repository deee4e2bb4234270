// The keys that work wherever the focus is in a view. They are taken before anything else sees them, so that the board's letters do not
// swallow them; what is typed, and what a dialog or a menu does with its keys, is left alone. A menu goes to what begins with a letter.
import { type KeyboardEvent, useRef } from 'react';

export type GlobalKey = 'commands' | 'filter' | 'keys' | 'inbox' | 'next-need' | 'begin';

export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** `afterG`: G was pressed just before. `begin`: this is that G. */
export function globalKeyOf(event: Pressed, afterG: boolean): GlobalKey | null {
  const letter = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return letter === 'k' && !event.altKey ? 'commands' : null;
  if (event.altKey) return null;
  if (afterG && letter === 'i') return 'inbox';
  if (afterG && letter === 'n') return 'next-need';
  if (event.key === '/') return 'filter';
  if (event.key === '?') return 'keys';
  return letter === 'g' ? 'begin' : null;
}

const G_LASTS_MS = 1200;

export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const isInside = (target: EventTarget | null, what: string): boolean => target instanceof Element && target.closest(what) !== null;

/** The handler of a view's root, for the capture phase. */
export function useGlobalKeys(run: (key: Exclude<GlobalKey, 'begin'>) => void, isDialogOpen: () => boolean): (event: KeyboardEvent) => void {
  const gAt = useRef(Number.NEGATIVE_INFINITY);
  return event => {
    const key = globalKeyOf(event, event.timeStamp - gAt.current < G_LASTS_MS);
    gAt.current = Number.NEGATIVE_INFINITY;
    if (key === null) return;
    // The browser would take Ctrl K for its address bar.
    if (key === 'commands') event.preventDefault();
    if (isDialogOpen() || (key !== 'commands' && (isTyping(event.target) || isInside(event.target, '[role=menu]')))) return;
    event.preventDefault();
    event.stopPropagation();
    if (key === 'begin') gAt.current = event.timeStamp;
    else run(key);
  };
}
