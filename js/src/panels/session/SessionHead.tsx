// The head of a session's panel: where it belongs, its agent and state, what can be chosen, what it has used.

import type { Session } from '../../protocol/generated.js';
import { plain } from '../../store/plain.js';
import { sessionWords } from '../../store/standing.js';
import { dialogTexts, texts } from '../../texts';
import { money } from '../../texts/money.js';
import { Readers } from '../board/Readers.js';
import { AgentTile, Icon, IconButton } from '../common/Icon.js';
import { MenuButton } from '../common/Menu.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { agentIcon, agentLabel, canSteer, useApp, useCommand, useShared } from '../context.js';
import { Above } from './Above.js';
import { Origin } from './Fork.js';
import { SessionOptions } from './Options.js';

const STOPPABLE = new Set<Session['state']>(['starting', 'running', 'needs_you']);

export function SessionHead({ session }: { session: Session }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const worktree = shared.worktrees.get(session.worktreeId);
  const siblings = shared.sessionsOf.get(session.worktreeId) ?? [];
  const label = agentLabel(shared, session.agent);
  const { usage } = session;
  const context = usage.contextUsed !== null && usage.contextSize ? Math.min(100, Math.round((usage.contextUsed / usage.contextSize) * 100)) : null;
  return (
    <header className="agor-panel-head">
      <div className="agor-crumb">
        <Icon name="branch" size={12} />
        <button
          type="button"
          className="agor-link-quiet agor-ell"
          onClick={() => commands.openDiff(session.worktreeId)}
          title={dialogTexts.panel.showWorktree}
        >
          <code>{visible(worktree?.branch ?? '')}</code>
        </button>
        <Icon name="right" size={12} />
        <span className="agor-nowrap">{dialogTexts.panel.sessionOf(siblings.indexOf(session.id) + 1, siblings.length)}</span>
        <SandboxState session={session} />
        <span className="agor-grow" />
        <Readers sessionId={session.id} />
        <IconButton icon="diff" label={dialogTexts.panel.changes} onClick={() => commands.openDiff(session.worktreeId)} />
        <SessionMenu session={session} />
        <IconButton icon="close" label={dialogTexts.panel.close} onClick={() => commands.closePanel()} />
      </div>
      <div className="agor-row agor-panel-title">
        <AgentTile icon={agentIcon(shared, session.agent)} label={label} />
        <h2 className="agor-grow agor-ell" title={visible(session.title)}>
          {visible(plain(session.title)) || texts.panel.untitled}
        </h2>
        <StatePill state={session.state} words={sessionWords(session, shared)} />
      </div>
      <Above session={session} />
      <Origin session={session} />
      <div className="agor-row agor-panel-meta">
        <SessionOptions session={session} />
        <span className="agor-grow" />
        {context !== null && (
          <span className="agor-gauge" title={dialogTexts.panel.context}>
            <span className="agor-track">
              <i style={{ width: `${context}%` }} />
            </span>
            {dialogTexts.panel.contextUsed(context, Math.round((usage.contextSize ?? 0) / 1000))}
          </span>
        )}
        <Cost session={session} />
        {(STOPPABLE.has(session.state) || (session.background.length > 0 && session.state !== 'stopping')) && canSteer(shared) && (
          <button type="button" className="agor-btn agor-sm" disabled={isRunning} onClick={() => void run(() => commands.cancelSession(session.id))}>
            <Icon name="stop" size={14} />
            {dialogTexts.panel.stop}
          </button>
        )}
      </div>
      <Problem text={problem} />
    </header>
  );
}

/** What it has cost, and of how much, where there is a budget. */
function Cost({ session }: { session: Session }) {
  const { budgets } = useShared();
  const { costUsd, isEstimate } = session.usage;
  const budget = [...budgets.values()].find(one => one.scope === 'session' && one.subject === session.id && one.hardUsd !== null);
  if (costUsd === null && !budget) return null;
  return (
    <span className={`agor-xs ${budget && budget.state !== 'ok' ? 'agor-need-text' : 'agor-t2'}`}>
      {money(costUsd ?? 0, isEstimate)}
      {budget?.hardUsd && <span title={texts.budget.ofSession}> {texts.budget.of(money(budget.hardUsd))}</span>}
    </span>
  );
}

/** Always said here; on the card only when there is none. */
function SandboxState({ session }: { session: Session }) {
  if (session.sandbox === null) return null;
  const isOn = session.sandbox === 'on';
  const devices = session.sandboxDevices.length ? `. ${visible(dialogTexts.sandbox.devices(session.sandboxDevices))}` : '';
  return (
    <span
      className="agor-sandbox agor-nowrap"
      data-sandbox={session.sandbox}
      title={isOn ? `${dialogTexts.sandbox.onWhy}${devices}` : visible(session.sandboxReason ?? texts.sandbox.noReason)}
    >
      <Icon name={isOn ? 'lock' : 'unlock'} size={12} />
      {isOn ? dialogTexts.sandbox.on : texts.sandbox.off}
      {isOn && session.sandboxDevices.includes('gpu') && ` ${dialogTexts.sandbox.gpu}`}
    </span>
  );
}

function SessionMenu({ session }: { session: Session }) {
  const { commands } = useApp();
  const shared = useShared();
  const of = { sessionId: session.id };
  const items = [
    ...(canSteer(shared)
      ? [
          { id: 'fork', label: texts.fork.to, icon: 'fork' as const, run: () => commands.openDialog('fork', of) },
          {
            id: 'side',
            label: dialogTexts.fork.askHere,
            icon: 'thought' as const,
            run: () => commands.openDialog('fork', { ...of, isSide: true }),
          },
        ]
      : []),
    { id: 'rules', label: dialogTexts.menu.rules, icon: 'list' as const, run: () => commands.openDialog('rules', of) },
    ...(shared.me?.role === 'owner'
      ? [{ id: 'trust', label: dialogTexts.menu.trust, icon: 'file' as const, run: () => commands.openDialog('trust', of) }]
      : []),
    { id: 'budget', label: dialogTexts.menu.budget, icon: 'coin' as const, run: () => commands.openDialog('budget', of) },
    { id: 'agents', label: texts.agents.title, icon: 'terminal' as const, run: () => commands.openDialog('agents', { agent: session.agent }) },
  ];
  return (
    <MenuButton className="agor-ib agor-sm" label={texts.panel.more} items={items}>
      <Icon name="more" />
    </MenuButton>
  );
}

const TONES: Partial<Record<Session['state'], string>> = {
  needs_you: 'need',
  running: 'run',
  failed: 'fail',
  interrupted: 'fail',
  done: 'done',
};

function StatePill({ state, words }: { state: Session['state']; words: string }) {
  return <span className={`agor-pill agor-tint-${TONES[state] ?? 'rest'}`}>{visible(words)}</span>;
}
