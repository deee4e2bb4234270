// The foot of a dialog that asks before it acts: Cancel, which has the focus, and the act.
import { texts } from '../../texts.js';

export function DialogFoot({
  act,
  isDangerous = false,
  isDisabled,
  onAct,
  onClose,
}: {
  /** What the button says. */
  act: string;
  isDangerous?: boolean;
  isDisabled: boolean;
  onAct: () => void;
  onClose: () => void;
}) {
  return (
    <>
      <span className="agor-grow" />
      <button type="button" className="agor-btn" onClick={onClose} data-autofocus>
        {texts.cancel}
      </button>
      <button type="button" className={`agor-btn ${isDangerous ? 'agor-danger' : 'agor-primary'}`} disabled={isDisabled} onClick={onAct}>
        {act}
      </button>
    </>
  );
}
