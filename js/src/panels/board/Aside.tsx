// What stands beside the board. The focus stays in it while it shows something else, and goes back to the board when it closes.
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef } from 'react';

import { isTyping } from '../common/keys.js';
import { hasNobody } from '../common/trap.js';

interface Props {
  /** The id of what it shows. */
  shown: string;
  label: string;
  /** `undefined`: as wide as the view. */
  width: number | undefined;
  /** It closed while it had the focus. */
  onFocusLost: () => void;
  children: ReactNode;
}

export function Aside({ shown, label, width, onFocusLost, children }: Props) {
  const ref = useRef<HTMLElement>(null);
  const isInside = useRef(false);
  const last = useRef<Element | null>(null);
  const lost = useRef(onFocusLost);
  lost.current = onFocusLost;
  useEffect(() => {
    // An element that goes with its focus says nothing of it, in some browsers: so what counts is where the focus came last.
    const follow = ({ target }: FocusEvent) => {
      isInside.current = target instanceof Node && ref.current?.contains(target) === true;
      last.current = target instanceof Element ? target : null;
    };
    document.addEventListener('focusin', follow);
    return () => document.removeEventListener('focusin', follow);
  }, []);
  useEffect(() => {
    const panel = ref.current;
    if (!panel) return;
    // A button that waits for its answer loses the focus; it stays in here, so that Escape goes on working.
    const observer = new MutationObserver(changes => {
      if (!isInside.current || !changes.some(({ target }) => target === last.current && last.current.matches(':disabled'))) return;
      // Browsers take the focus away a frame later.
      requestAnimationFrame(() => {
        if (hasNobody() || document.activeElement?.matches(':disabled')) panel.focus({ preventScroll: true });
      });
    });
    observer.observe(panel, { subtree: true, attributeFilter: ['disabled'] });
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (isInside.current && hasNobody()) ref.current?.focus({ preventScroll: true });
  }, [shown]);
  useLayoutEffect(
    () => () => {
      if (!isInside.current) return;
      // Once the board can take it: below a panel as wide as the view it is inert.
      setTimeout(() => hasNobody() && lost.current());
    },
    [],
  );
  const onKeyDown = (event: KeyboardEvent) => {
    // The answers to a question have numbers, which count wherever the focus is in here.
    if (event.defaultPrevented || !/^[1-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    ref.current?.querySelector<HTMLElement>(`[role="alertdialog"] [aria-keyshortcuts="${event.key}"]`)?.click();
  };
  return (
    <aside
      ref={ref}
      className="agor-panel"
      tabIndex={-1}
      onKeyDown={onKeyDown}
      style={width === undefined ? undefined : { width }}
      aria-label={label}
    >
      {children}
    </aside>
  );
}
