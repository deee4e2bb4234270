// What can be done with a zone in its settings: allow its commands, and try it on one card.
import type { Worktree, ZonePolicy } from '../../protocol/generated.js';
import { zones as requests } from '../../session/requests.js';
import { isLive } from '../../store/firings.js';
import { dialogTexts } from '../../texts';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand } from '../context.js';
import type { Editing } from './usePolicy.js';

const words = dialogTexts.zone.dialog;

/** The exact commands that would need no answer any more. */
export function commandsOf({ gates, prompt }: Pick<ZonePolicy, 'gates' | 'prompt'>, runsBlocks: boolean): string[] {
  const blocks = runsBlocks ? [...prompt.matchAll(/^```(?:sh|bash|python)\s*\n([\s\S]*?)^```/gm)].map(([, block]) => (block ?? '').trim()) : [];
  return [...gates.filter(({ kind }) => kind !== 'function').map(({ run }) => run), ...blocks].filter(Boolean);
}

export function Allow({ zoneId, policy, runsBlocks, flush }: { zoneId: string; policy: ZonePolicy; runsBlocks: boolean; flush: Editing['flush'] }) {
  const { client, commands } = useApp();
  const { run, isRunning, problem } = useCommand();
  const found = commandsOf(policy, runsBlocks);
  if (!found.length) return null;
  const allow = () =>
    void run(async () => {
      // What is allowed is what everyone has.
      if (!(await flush())) return;
      await requests.change(client, zoneId, { allow: true });
      commands.toast({ text: words.allowed(found.length) });
    });
  return (
    <details className="agor-details">
      <summary>{words.allow}</summary>
      <p className="agor-advice">{words.allowHint}</p>
      <ul className="agor-losses">
        {found.map(command => (
          <li key={command}>
            <code>{visible(command)}</code>
          </li>
        ))}
      </ul>
      <button type="button" className="agor-btn agor-sm" disabled={isRunning} onClick={allow}>
        {words.allowNow(found.length)}
      </button>
      <Problem text={problem} />
    </details>
  );
}

/** Brings the card of the preview here; one that lies here already runs again. */
export function TryButton({ zoneId, card, flush }: { zoneId: string; card: Worktree; flush: Editing['flush'] }) {
  const { client, commands } = useApp();
  const { run, isRunning, problem } = useCommand();
  const go = () =>
    void run(async () => {
      if (!(await flush())) return;
      const { firing } = await requests.drop(client, card.id, zoneId);
      if (firing && !isLive(firing) && card.zoneId === zoneId) await commands.decide(firing.id, 'retry');
      commands.closeDialog();
    });
  return (
    <>
      <Problem text={problem} />
      <button type="button" className="agor-btn" disabled={isRunning} title={words.tryWith(card.name)} onClick={go}>
        {words.try}
      </button>
    </>
  );
}
