// The foot of a dialog: what is worth saying before the act, Cancel, and the act.
import type { ReactNode } from 'react';

import { texts } from '../../texts';

interface Props {
  /** What the button says. */
  act: ReactNode;
  isDisabled: boolean;
  /** `danger`: it takes something away. `plain`: it is not what the dialog is for. */
  look?: 'primary' | 'danger' | 'plain';
  /** Said beside the buttons. */
  note?: ReactNode;
  /** The act is to submit this form; else `onAct` is called, and Cancel has the focus: a dialog without a form asks before it acts. */
  form?: string;
  onAct?: () => void;
  /** Without it there is no Cancel. */
  onClose?: () => void;
  /** What the button that closes says. */
  cancel?: string;
}

const LOOKS = { primary: 'agor-btn agor-primary', danger: 'agor-btn agor-danger', plain: 'agor-btn' };

export function DialogFoot({ act, isDisabled, look = 'primary', note, form, onAct, onClose, cancel = texts.cancel }: Props) {
  return (
    <>
      {note ?? <span className="agor-grow" />}
      {onClose && (
        <button type="button" className="agor-btn" onClick={onClose} data-autofocus={form === undefined || undefined}>
          {cancel}
        </button>
      )}
      <button type={form === undefined ? 'button' : 'submit'} form={form} className={LOOKS[look]} disabled={isDisabled} onClick={onAct}>
        {act}
      </button>
    </>
  );
}
