// Keeps the focus in what lies over the board, and gives it back.
import { type KeyboardEvent, useEffect, useRef } from 'react';

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex="-1"])';

/** Nobody has the keyboard: it is the page's. */
export const hasNobody = (): boolean => document.activeElement === null || document.activeElement === document.body;

/**
 * Tab stays inside; the focus goes back to where it was. What had it may be gone or waiting for an answer: then the panel beside the board
 * takes it, else the board, so that the keys of the view go on working.
 */
export function useFocusTrap(onClose: () => void, isPopover = false) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const view = ref.current?.closest('.agor-app');
    const first = ref.current?.querySelector<HTMLElement>('[data-autofocus]') ?? ref.current?.querySelector<HTMLElement>(FOCUSABLE);
    first?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      if (hasNobody())
        (view?.querySelector<HTMLElement>('.agor-panel') ?? view?.querySelector<HTMLElement>('.agor-board'))?.focus({ preventScroll: true });
    };
  }, []);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    if (!isPopover) return;
    // A press elsewhere closes; one on the button that opened it is that button's.
    const onPress = ({ target }: Event) =>
      target instanceof Element && !ref.current?.contains(target) && !target.closest('[aria-expanded="true"]') && close.current();
    document.addEventListener('pointerdown', onPress, true);
    return () => document.removeEventListener('pointerdown', onPress, true);
  }, [isPopover]);
  useEffect(() => {
    // A button that waits for its answer loses the focus; it stays in here, so that Escape and Tab go on working.
    const element = ref.current;
    if (!element || document.activeElement !== document.body) return;
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      onClose();
    } else if (event.key === 'Tab') {
      const all = [...(ref.current?.querySelectorAll<HTMLElement>(FOCUSABLE) ?? [])].filter(element => element.offsetParent !== null);
      const edge = event.shiftKey ? all[0] : all.at(-1);
      if (document.activeElement === edge) {
        event.preventDefault();
        (event.shiftKey ? all.at(-1) : all[0])?.focus();
      }
    }
  };
  return { ref, onKeyDown };
}
