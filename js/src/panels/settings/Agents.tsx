// The agents that this server can run: which are here, in which version, who is signed in, and how to get the rest.
import { useState } from 'react';

import type { AgentStatus } from '../../protocol/generated.js';
import { agents } from '../../session/requests.js';
import type { Dialog as Opened } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { CopyButton } from '../common/CodeBlock.js';
import { Dialog } from '../common/Dialog.js';
import { AgentTile, Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { shellLine } from '../common/words.js';
import { canSteer, useApp, useCommand, useShared } from '../context.js';

const words = dialogTexts.agents;

export function AgentsDialog({ agent, back }: { agent: string | undefined; back: Opened | undefined }) {
  const { commands } = useApp();
  const { agents } = useShared();
  const close = () => (back ? commands.openDialog(back.name, back) : commands.closeDialog());
  const all = [...agents.values()].sort((a, b) => Number(b.agent.name === agent) - Number(a.agent.name === agent));
  return (
    <Dialog title={words.title} onClose={close} width={560}>
      <p className="agor-advice">{words.intro}</p>
      {all.length ? (
        <ul className="agor-plain-list">
          {all.map(status => (
            <AgentRow key={status.agent.name} status={status} isMeant={status.agent.name === agent} />
          ))}
        </ul>
      ) : (
        <p className="agor-nothing">{words.none}</p>
      )}
    </Dialog>
  );
}

function AgentRow({ status, isMeant }: { status: AgentStatus; isMeant: boolean }) {
  const { client } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const { agent, isInstalled, isManaged, installState, isSignedIn } = status;
  const isOwner = shared.me?.role === 'owner';
  const ask = (what: 'check' | 'install') => void run(() => agents[what](client, agent.name));
  const isInstalling = installState === 'installing';
  const offer = offerOf(status);
  return (
    <li className="agor-agent-row" data-agent={agent.name}>
      <div className="agor-row">
        <AgentTile icon={agent.icon} label={agent.label} />
        <b>{visible(agent.label)}</b>
        <span className="agor-grow agor-t2 agor-agent-state">{stateOf(status)}</span>
        {offer && isOwner && (
          <button
            type="button"
            className="agor-btn agor-sm"
            data-autofocus={(isMeant && !isInstalled) || undefined}
            aria-label={isManaged ? words.updateOf(agent.label) : words.installOf(agent.label)}
            disabled={isRunning}
            onClick={() => ask('install')}
          >
            <Icon name="download" size={14} />
            {offer}
          </button>
        )}
        {!agent.isBuiltin && canSteer(shared) && (
          <button
            type="button"
            className="agor-btn agor-sm agor-ghost"
            aria-label={words.checkOf(agent.label)}
            disabled={isRunning || isInstalling}
            onClick={() => ask('check')}
          >
            {isRunning && !isInstalling ? words.checking : words.check}
          </button>
        )}
      </div>
      {isInstalling && (
        <div role="status">
          <span className="agor-t2">
            {words.installing}
            {status.installStep && `: ${visible(status.installStep)}`}
          </span>
          <div className="agor-progress agor-endless">
            <i />
          </div>
        </div>
      )}
      {status.problem !== null && !isInstalling && <Failed what={words.doesNotRun} reason={status.problem} />}
      {installState === 'failed' && <Failed what={isInstalled ? words.updateFailed : words.installFailed} reason={status.installStep ?? ''} />}
      {!isInstalled && !isInstalling && <ByHand status={status} isOwner={isOwner} />}
      {isInstalled && isSignedIn !== true && agent.signIn.command.length > 0 && <SignIn status={status} isMeant={isMeant} />}
      {agent.notes.length > 0 && (
        <details className="agor-details">
          <summary>{words.notes}</summary>
          {agent.notes.map(note => (
            <p key={note}>{note}</p>
          ))}
        </details>
      )}
      <Problem text={problem} />
    </li>
  );
}

function Failed({ what, reason }: { what: string; reason: string }) {
  const [first = '', ...rest] = reason.split('\n');
  return (
    <div className="agor-fail-strip">
      <span role="alert">
        <b>{what}</b> {visible(first)}
      </span>
      {rest.length > 0 && (
        <details className="agor-details">
          <summary>{dialogTexts.outcome.log}</summary>
          <pre tabIndex={0}>{visible(rest.join('\n'))}</pre>
        </details>
      )}
    </div>
  );
}

/** What the button that installs says. `null`: there is nothing to install, or it is on its way. */
function offerOf({ agent, isInstalled, isManaged, installState, version, pinned }: AgentStatus): string | null {
  if (!agent.install.package || agent.isBuiltin || installState === 'installing') return null;
  // A program of the machine's own whose version nobody asked for may be any.
  if (isInstalled && (!version || version === pinned)) return null;
  if (installState === 'failed') return words.again;
  return isManaged && pinned ? words.update(pinned) : words.install(pinned, agent.install.diskMb);
}

function stateOf({ agent, isInstalled, isManaged, isSignedIn, origin, version }: AgentStatus): string {
  if (agent.isBuiltin) return words.builtin;
  if (!isInstalled) return words.notInstalled;
  return [
    version ? words.version(version) : words.installed,
    isManaged ? words.managed : origin === 'configuration' ? words.configured : words.own,
    isSignedIn === true ? words.signedIn : isSignedIn === false ? words.signedOut : agent.signIn.command.length ? words.unknown : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function ByHand({ status, isOwner }: { status: AgentStatus; isOwner: boolean }) {
  const { agent } = status;
  if (agent.install.package && !isOwner) return <p className="agor-advice">{words.owner}</p>;
  // Where there is a button for it, by hand is for when that failed.
  if (!agent.install.byHand || (agent.install.package && status.installState !== 'failed')) return null;
  return (
    <div className="agor-agent-more">
      <span className="agor-t3">{words.byHand}</span>
      <CopyLine text={agent.install.byHand} />
    </div>
  );
}

/** In a terminal of JupyterLab where there is one; the command can be copied everywhere. */
function SignIn({ status: { agent }, isMeant }: { status: AgentStatus; isMeant: boolean }) {
  const { commands, openTerminal } = useApp();
  const [isOpened, setOpened] = useState(false);
  return (
    <div className="agor-agent-more">
      <span className="agor-t3">{words.signInHere}</span>
      <div className="agor-row">
        <CopyLine text={shellLine(agent.signIn.command)} />
        {openTerminal && (
          <button
            type="button"
            className="agor-btn agor-sm"
            data-autofocus={isMeant || undefined}
            aria-label={words.signInOf(agent.label)}
            onClick={() => {
              openTerminal(agent.signIn.command);
              setOpened(true);
            }}
          >
            <Icon name="terminal" size={14} />
            {words.signIn}
          </button>
        )}
      </div>
      {isOpened && (
        <span className="agor-t3" role="status">
          {words.signInOpened}
        </span>
      )}
      {agent.signIn.keyEnv.length > 0 && (
        <span className="agor-t3">
          {words.key(agent.signIn.keyEnv.join(' / '))}{' '}
          <button
            type="button"
            className="agor-link"
            onClick={() => commands.openDialog('variables', { text: agent.signIn.keyEnv[0] ?? '', back: { name: 'agents', agent: agent.name } })}
          >
            {texts.menu.variables}
          </button>
        </span>
      )}
    </div>
  );
}

function CopyLine({ text }: { text: string }) {
  return (
    <div className="agor-copy-line">
      <code className="agor-grow">{visible(text)}</code>
      <CopyButton text={text} />
    </div>
  );
}
