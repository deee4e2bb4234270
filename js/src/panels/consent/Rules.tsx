// What agents may do in a session or a worktree without asking: who said so, until when, and how to take it back.

import { useCallback, useEffect, useRef, useState } from 'react';
import type { Rule, Session, Worktree } from '../../protocol/generated.js';
import { rules as requests } from '../../session/requests.js';
import { plain } from '../../store/plain.js';
import { dialogTexts } from '../../texts';
import { ago, moment } from '../../texts/ages.js';
import { Dialog } from '../common/Dialog.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { capital } from '../common/words.js';
import { agentLabel, useApp, useCommand, useNow, useShared } from '../context.js';
import { shown } from './prefix.js';
import { whatOf } from './Remember.js';

const words = dialogTexts.rules;

export function RulesDialog({ worktree, session }: { worktree: Worktree; session: Session | undefined }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const [rules, setRules] = useState<readonly Rule[] | null>(null);
  const [said, setSaid] = useState('');
  const { run, isRunning, problem } = useCommand();
  const now = useNow(60_000);
  const runs = useRef(run);
  runs.current = run;
  const sessionId = session?.id;
  const worktreeId = worktree.id;
  const load = useCallback(async () => {
    const query = sessionId ? { session: sessionId } : { worktree: worktreeId };
    const rules = await requests.list(client, query);
    setRules(rules.filter(rule => rule.revokedAt === null));
  }, [client, sessionId, worktreeId]);
  useEffect(() => void runs.current(load), [load]);

  const revoke = (rule: Rule) =>
    void run(async () => {
      await requests.remove(client, rule.id);
      setSaid(words.revoked);
      await load();
    });
  const isPast = (rule: Rule) => rule.expiresAt !== null && Date.parse(rule.expiresAt) <= now;
  const open = rules?.filter(rule => !isPast(rule)) ?? [];
  return (
    <Dialog title={words.title(plain(session?.title ?? '') || worktree.name)} onClose={() => commands.closeDialog()} width={560}>
      <p className="agor-advice">{words.intro}</p>
      {rules && !open.length && <p className="agor-nothing">{words.empty}</p>}
      {open.length > 0 && (
        <ul className="agor-plain-list">
          {open.map(rule => (
            <li key={rule.id} className="agor-list-row" data-rule={rule.id}>
              <div className="agor-grow">
                <div className="agor-rule-what">
                  {rule.commandPrefix ? <code>{visible(shown(rule.commandPrefix))} …</code> : capital(whatOf(rule.toolKind, null))}
                </div>
                <div className="agor-advice">
                  {[
                    words.scopes[rule.scope],
                    words.by(rule.createdBy.name, ago(rule.createdAt, now)),
                    rule.agent ? words.onlyAgent(agentLabel(shared, rule.agent)) : '',
                    rule.expiresAt ? words.until(moment(rule.expiresAt)) : '',
                    words.uses(rule.uses),
                  ]
                    .filter(Boolean)
                    .join(', ')}
                </div>
              </div>
              {shared.me?.role === 'owner' && (
                <button
                  type="button"
                  className="agor-btn agor-sm"
                  aria-label={words.revokeOf(rule.commandPrefix ? shown(rule.commandPrefix) : whatOf(rule.toolKind, null))}
                  disabled={isRunning}
                  onClick={() => revoke(rule)}
                >
                  {words.revoke}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <p className="agor-spoken" role="status">
        {said}
      </p>
      <Problem text={problem} />
    </Dialog>
  );
}
