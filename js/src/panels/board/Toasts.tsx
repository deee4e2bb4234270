import { texts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { useApp, useView } from '../context.js';

export function Toasts() {
  const { view } = useApp();
  const { toasts } = useView();
  if (!toasts.length) return null;
  return (
    <div className="agor-toasts" role="status">
      {toasts.map(toast => (
        <div key={toast.id} className={`agor-toast${toast.isBad ? ' agor-bad' : ''}`}>
          {toast.isBad && <Icon name="st-failed" />}
          <span className="agor-grow">{toast.text}</span>
          {toast.undo && (
            <button
              type="button"
              className="agor-btn agor-ghost agor-sm"
              onClick={() => {
                toast.undo?.();
                view.dismiss(toast.id);
              }}
            >
              {texts.undo}
            </button>
          )}
          {toast.again && (
            <button
              type="button"
              className="agor-btn agor-sm"
              onClick={() => {
                toast.again?.();
                view.dismiss(toast.id);
              }}
            >
              {texts.connection.sendAgain}
            </button>
          )}
          <button type="button" className="agor-ib agor-sm" aria-label={texts.close} onClick={() => view.dismiss(toast.id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
