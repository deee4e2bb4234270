// A dialog over the board: takes the focus, keeps it, closes with Escape and gives it back.
import { type ReactNode, useId } from 'react';

import { texts } from '../../texts';
import { Icon } from './Icon.js';
import { visible } from './safe.js';
import { useFocusTrap } from './trap.js';

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
