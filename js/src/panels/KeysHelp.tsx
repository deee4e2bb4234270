import { texts } from '../texts.js';
import { useApp } from './context.js';
import { Dialog } from './Dialog.js';

export function KeysHelp() {
  const { commands } = useApp();
  return (
    <Dialog title={texts.keys.title} onClose={() => commands.closeDialog()} width={560}>
      <dl className="agor-keys">
        {texts.keys.list.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key, index) => (
                <kbd key={index} className="agor-kbd">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="agor-advice">{texts.keys.note}</p>
    </Dialog>
  );
}
