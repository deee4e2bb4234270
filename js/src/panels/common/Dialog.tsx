// A dialog over the board: takes the focus, keeps it, closes with Escape and gives it back.
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from 'react';

import { texts } from '../../texts.js';
import { Icon } from './Icon.js';
import { visible } from './safe.js';

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex="-1"])';

/** Tab stays inside; the focus goes back to where it was. */
export function useFocusTrap(onClose: () => void, isPopover = false) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const first = ref.current?.querySelector<HTMLElement>('[data-autofocus]') ?? ref.current?.querySelector<HTMLElement>(FOCUSABLE);
    first?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
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

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
  width?: number;
}

export function Dialog({ title, onClose, children, footer, width = 460 }: Props) {
  const trap = useFocusTrap(onClose);
  const id = useId();
  return (
    <div className="agor-scrim" onPointerDown={event => event.target === event.currentTarget && onClose()}>
      <div ref={trap.ref} className="agor-dialog" role="dialog" aria-modal="true" aria-labelledby={id} onKeyDown={trap.onKeyDown} style={{ width }}>
        <header className="agor-dialog-head">
          <h2 id={id}>{visible(title)}</h2>
          <button type="button" className="agor-ib" onClick={onClose} aria-label={texts.close}>
            <Icon name="close" />
          </button>
        </header>
        <div className="agor-dialog-body">{children}</div>
        {footer && <footer className="agor-dialog-foot">{footer}</footer>}
      </div>
    </div>
  );
}

export function Field({
  label,
  hint,
  problem,
  children,
}: {
  label: string;
  hint?: string | undefined;
  problem?: string | undefined;
  children: (id: string) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="agor-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {problem ? <span className="agor-problem">{problem}</span> : hint ? <span className="agor-advice">{hint}</span> : null}
    </div>
  );
}

export function Problem({ text }: { text: string | null }) {
  if (!text) return null;
  return (
    <div className="agor-fail-strip" role="alert">
      {text}
    </div>
  );
}
