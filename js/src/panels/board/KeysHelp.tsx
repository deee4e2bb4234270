import { dialogTexts, texts } from '../../texts';
import { Dialog } from '../common/Dialog.js';
import { useApp } from '../context.js';

type Where = keyof typeof dialogTexts.keys.where;

export function KeysHelp() {
  const { commands } = useApp();
  return (
    <Dialog title={texts.keys.title} onClose={() => commands.closeDialog()} width={720}>
      {(Object.keys(dialogTexts.keys.where) as Where[]).map(where => (
        <section key={where} aria-label={dialogTexts.keys.where[where]}>
          <h3 className="agor-keys-head">{dialogTexts.keys.where[where]}</h3>
          <dl className="agor-keys">
            {dialogTexts.keys.list
              .filter(entry => entry.where === where)
              .map(({ keys, what }) => (
                <div key={keys} data-keys={keys} data-where={where}>
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
        </section>
      ))}
    </Dialog>
  );
}
