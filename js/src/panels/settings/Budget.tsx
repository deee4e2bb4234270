// How many dollars a session, a worktree, the board or a person may use.

import { type FormEvent, useState } from 'react';
import type { Budget, Session, Worktree } from '../../protocol/generated.js';
import { budgets } from '../../session/requests.js';
import { parkedTurn, usedUp } from '../../store/parked.js';
import { plain } from '../../store/plain.js';
import type { BoardState } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { money } from '../../texts/money.js';
import { Dialog, Field } from '../common/Dialog.js';
import { Problem } from '../common/Problem.js';
import { useApp, useCommand, useShared } from '../context.js';

const words = dialogTexts.budget;
type Scope = Budget['scope'];

export function BudgetDialog({ worktree, session }: { worktree: Worktree | undefined; session: Session | undefined }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const turn = session && parkedTurn(session, shared);
  // Raising it means the one that stands in the way.
  const [scope, setScope] = useState<Scope>(
    () => (turn && usedUp(turn, shared)?.scope) ?? (session ? 'session' : worktree ? 'worktree' : isMineUsedUp(shared) ? 'user' : 'board'),
  );
  const subjects: Readonly<Record<Scope, string | undefined>> = {
    session: session?.id,
    tree: session?.rootId ?? session?.id,
    worktree: worktree?.id,
    board: client.path,
    user: shared.me?.person.username,
  };
  const subject = subjects[scope];
  const root = session && (shared.sessions.get(session.rootId ?? session.id) ?? session);
  const budget = [...shared.budgets.values()].find(one => one.scope === scope && one.subject === subject);
  const names: Readonly<Record<Scope, string>> = {
    session: plain(session?.title ?? '') || texts.panel.untitled,
    tree: plain(root?.title ?? '') || texts.panel.untitled,
    worktree: worktree?.name ?? '',
    board: client.path,
    user: shared.me?.person.name ?? '',
  };
  return (
    <Dialog title={words.title} onClose={() => commands.closeDialog()}>
      <Field label={words.for}>
        {id => (
          <select id={id} className="agor-select" value={scope} onChange={event => setScope(event.target.value as Scope)}>
            {(['session', 'tree', 'worktree', 'board', 'user'] as const)
              .filter(one => subjects[one])
              .map(one => (
                <option key={one} value={one}>
                  {`${words.scopes[one]}: ${names[one]}`}
                </option>
              ))}
          </select>
        )}
      </Field>
      {subject && <BudgetForm key={`${scope}/${subject}/${budget?.id ?? ''}`} scope={scope} subject={subject} budget={budget} />}
    </Dialog>
  );
}

const isMineUsedUp = (shared: BoardState): boolean =>
  [...shared.budgets.values()].some(one => one.scope === 'user' && one.subject === shared.me?.person.username && one.state === 'exhausted');

function BudgetForm({ scope, subject, budget }: { scope: Scope; subject: string; budget: Budget | undefined }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const [soft, setSoft] = useState(budget?.softUsd?.toString() ?? '');
  const [hard, setHard] = useState(budget?.hardUsd?.toString() ?? '');
  const { run, isRunning, problem } = useCommand();
  const isOwner = shared.me?.role === 'owner';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const softUsd = soft.trim() ? Number(soft) : null;
      const hardUsd = hard.trim() ? Number(hard) : null;
      const isGood = [softUsd, hardUsd].every(amount => amount === null || amount > 0) && (softUsd ?? hardUsd) !== null;
      if (!isGood || (softUsd !== null && hardUsd !== null && softUsd > hardUsd)) throw new Error(words.bad);
      await budgets.set(client, { scope, subject, softUsd, hardUsd });
      commands.closeDialog();
      commands.toast({ text: words.saved });
    });
  };
  const remove = (id: string) =>
    void run(async () => {
      await budgets.remove(client, id);
      commands.closeDialog();
      commands.toast({ text: words.removed });
    });
  return (
    <form onSubmit={submit}>
      {budget && <Spent budget={budget} />}
      <div className="agor-columns">
        <Amount label={words.soft} hint={words.softHint} value={soft} isReadOnly={!isOwner} onChange={setSoft} />
        <Amount label={words.hard} hint={words.hardHint} value={hard} isReadOnly={!isOwner} isFirst onChange={setHard} />
      </div>
      <p className="agor-advice">{isOwner ? words.intro : words.owner}</p>
      <Problem text={problem} />
      {isOwner && (
        <div className="agor-row">
          {budget && (
            <button type="button" className="agor-btn agor-ghost" disabled={isRunning} onClick={() => remove(budget.id)}>
              {words.remove}
            </button>
          )}
          <span className="agor-grow" />
          <button type="button" className="agor-btn" onClick={() => commands.closeDialog()}>
            {texts.cancel}
          </button>
          <button type="submit" className="agor-btn agor-primary" disabled={isRunning}>
            {words.save}
          </button>
        </div>
      )}
    </form>
  );
}

function Spent({ budget }: { budget: Budget }) {
  const most = budget.hardUsd ?? budget.softUsd ?? 0;
  const percent = most > 0 ? Math.min(100, (budget.spentUsd / most) * 100) : 0;
  return (
    <div data-budget={budget.state}>
      <span className="agor-t2">{words.spent(money(budget.spentUsd), most ? money(most) : null)}</span>
      <div className={`agor-progress agor-spent-${budget.state}`}>
        <i style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}

interface AmountProps {
  label: string;
  hint: string;
  value: string;
  isReadOnly: boolean;
  isFirst?: boolean;
  onChange: (value: string) => void;
}

function Amount({ label, hint, value, isReadOnly, isFirst = false, onChange }: AmountProps) {
  return (
    <Field label={label} hint={hint}>
      {id => (
        <input
          id={id}
          className="agor-input"
          inputMode="decimal"
          autoComplete="off"
          value={value}
          readOnly={isReadOnly}
          placeholder={dialogTexts.choice.none}
          data-autofocus={isFirst || undefined}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
