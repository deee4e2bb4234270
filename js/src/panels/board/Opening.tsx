// In place of a board that is not there yet, or not any more: what will happen, in a sentence. It opens by itself.
import { texts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { canSteer, useApp, useClient, useCommand } from '../context.js';

export function Opening() {
  const { client, commands } = useApp();
  const { opening, shared } = useClient();
  const { run, isRunning, problem } = useCommand();
  const isCut = shared.connection.state === 'lost' && (opening.kind === 'board' || opening.kind === 'gone');
  const kind = isCut ? 'server' : opening.kind;
  if (kind === 'opening' || kind === 'open') {
    return (
      <div className="agor-await" role="status" data-opening={kind}>
        <div className="agor-blanks" aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
        <Turning text={texts.host.opening(client.path)} />
      </div>
    );
  }
  if (opening.kind === 'refused') {
    return (
      <div className="agor-await" role="alert" data-opening="refused">
        <h2>{texts.host.failed}</h2>
        <p>{opening.problem.message}</p>
        <button type="button" className="agor-btn" onClick={() => void client.open()}>
          {texts.host.again}
        </button>
      </div>
    );
  }
  const canMake = kind !== 'server' && canSteer(shared);
  const words = texts.opening[kind === 'refused' ? 'server' : kind];
  return (
    <div className="agor-await" role="status" data-opening={kind}>
      <h2>{words.title}</h2>
      <p>{words.text(client.path)}</p>
      {kind === 'server' && <Turning text={texts.opening.trying} />}
      {canMake && (
        <button type="button" className="agor-btn" disabled={isRunning} onClick={() => void run(() => commands.makeBoard())}>
          {kind === 'gone' ? texts.opening.makeAgain : texts.host.make}
        </button>
      )}
      <Problem text={problem} />
    </div>
  );
}

function Turning({ text }: { text: string }) {
  return (
    <span className="agor-row">
      <Icon name="st-starting" size={14} />
      {text}
    </span>
  );
}
