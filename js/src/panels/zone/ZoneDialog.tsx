// What happens to a card that arrives in a zone. What is changed here is saved for everyone on the board.
import { useState } from 'react';

import type { AgentStatus, SessionOption, Worktree, ZonePolicy } from '../../protocol/generated.js';
import { unreadableField } from '../../store/objects.js';
import { dialogTexts, texts } from '../../texts';
import { Dialog } from '../common/Dialog.js';
import { Choice, NumberField, Switch } from '../common/Inputs.js';
import { Problem } from '../common/Problem.js';
import { canSteer, useApp, useShared } from '../context.js';
import { Gates } from './Gates.js';
import { usePolicy } from './usePolicy.js';
import { Allow, TryButton } from './ZoneActs.js';
import { Preview, Prompt, usePreview } from './ZonePrompt.js';
import { Conflict, SaveLine } from './ZoneSaving.js';
import { type Placed, useBoardView, useCards, useZones } from './zones.js';

const words = dialogTexts.zone.dialog;

export function ZoneDialog({ zoneId }: { zoneId: string }) {
  const { commands } = useApp();
  const found = useZones().find(({ id }) => id === zoneId);
  if (found) return <ZoneSettings placed={found} />;
  return (
    <Dialog title={texts.zone.settings} onClose={() => commands.closeDialog()}>
      <p className="agor-nothing">{words.gone}</p>
    </Dialog>
  );
}

function ZoneSettings({ placed: { id: zoneId, zone } }: { placed: Placed }) {
  const { commands } = useApp();
  const shared = useShared();
  const editing = usePolicy(zoneId, zone.policy);
  const { policy, set, flush } = editing;
  const mayEdit = canSteer(shared);
  const [worktreeId, setWorktreeId] = useState<string | null>(null);
  const cards = usePreviewCards(zoneId);
  const card = cards.find(({ id }) => id === worktreeId) ?? cards[0];
  const preview = usePreview(zoneId, policy, mayEdit, policy.prompt.trim() ? card?.id : undefined);
  const object = useBoardView()?.objects.get(zoneId);
  const field = object ? unreadableField(object) : '';
  const others = useZones().filter(({ id }) => id !== zoneId);
  const status = shared.agents.get(policy.agent);
  const close = () => {
    void flush();
    commands.closeDialog();
  };
  const leave = () => void flush();
  return (
    <Dialog
      title={zone.name || 'Zone'}
      onClose={close}
      width={540}
      footer={
        <>
          <SaveLine editing={editing} mayEdit={mayEdit} />
          <span className="agor-grow" />
          <button
            type="button"
            className="agor-btn agor-ghost"
            onClick={() => commands.openDialog('firings', { zoneId, back: { name: 'zone', zoneId } })}
          >
            {words.history}
          </button>
          {mayEdit && card && <TryButton zoneId={zoneId} card={card} flush={flush} />}
          <button type="button" className="agor-btn agor-primary" onClick={close}>
            {words.done}
          </button>
        </>
      }
    >
      {/* What the whole form cannot do, none of its fields can. */}
      <fieldset className="agor-plain-fieldset" disabled={!mayEdit}>
        {!mayEdit && <p className="agor-advice">{words.viewer}</p>}
        {field && <Problem text={words.unreadable(field)} />}
        <Conflict editing={editing} />
        <div className="agor-columns agor-columns-zone">
          <Choice label={words.agent} value={policy.agent} onPick={agent => set({ agent, options: {} })}>
            <option value="">{words.myDefault}</option>
            {[...shared.agents.values()].map(({ agent, isInstalled }) => (
              <option key={agent.name} value={agent.name} disabled={!isInstalled}>
                {isInstalled ? agent.label : dialogTexts.choice.notInstalled(agent.label)}
              </option>
            ))}
            {policy.agent && !status && <option value={policy.agent}>{policy.agent}</option>}
          </Choice>
          <Choice label={words.onDrop} value={policy.target} onPick={target => set({ target: target as ZonePolicy['target'] })}>
            {(['new', 'latest', 'ask', 'each'] as const).map(one => (
              <option key={one} value={one}>
                {words.targets[one]}
              </option>
            ))}
          </Choice>
          {policy.target !== 'new' && (
            <Choice label={words.how} value={policy.how} onPick={how => set({ how: how as ZonePolicy['how'] })}>
              {(['prompt', 'fork', 'spawn'] as const).map(one => (
                <option key={one} value={one}>
                  {words.hows[one]}
                </option>
              ))}
            </Choice>
          )}
          <NumberField
            label={words.atOnce}
            placeholder={words.noLimit}
            problem={words.badLimit}
            value={policy.limit}
            isValid={value => Number.isInteger(value) && value > 0 && value <= 1000}
            onChange={limit => set({ limit }, true)}
            onLeave={leave}
          />
        </div>
        <Options status={status} policy={policy} onPick={options => set({ options })} />
        <Prompt editing={editing} preview={preview} mayEdit={mayEdit} card={card} runsBlocks={status?.agent.isBuiltin === true} />
        {policy.prompt.trim() !== '' && <Preview preview={preview} cards={cards} card={card} onPick={setWorktreeId} />}
        <Gates gates={policy.gates} isReadOnly={!mayEdit} onChange={(gates, isTyping) => set({ gates }, isTyping)} onLeave={leave} />
        <div className="agor-columns agor-columns-zone">
          <Move label={words.passes} value={policy.next} zones={others} onPick={next => set({ next })} />
          <Move label={words.fails} value={policy.onFailure} zones={others} onPick={onFailure => set({ onFailure })} />
          <NumberField
            label={words.budget}
            placeholder={words.none}
            problem={words.badBudget}
            value={policy.budgetUsd}
            isValid={value => value > 0}
            onChange={budgetUsd => set({ budgetUsd }, true)}
            onLeave={leave}
          />
        </div>
        <div className="agor-switches">
          <Switch label={words.asksFirst} isOn={policy.asksFirst} onChange={asksFirst => set({ asksFirst })} />
          <Switch label={words.needsApproval} isOn={policy.needsApproval} onChange={needsApproval => set({ needsApproval })} />
          <Switch label={words.agentsMayEnter} isOn={policy.agentsMayEnter} onChange={agentsMayEnter => set({ agentsMayEnter })} />
          <Switch label={words.isOn} hint={words.isOnHint} isOn={policy.isOn} onChange={isOn => set({ isOn })} />
          <Switch label={words.isPaused} hint={words.isPausedHint} isOn={policy.isPaused} onChange={isPaused => set({ isPaused })} />
        </div>
        {shared.me?.role === 'owner' && <Allow zoneId={zoneId} policy={policy} runsBlocks={status?.agent.isBuiltin === true} flush={flush} />}
      </fieldset>
    </Dialog>
  );
}

/** The cards that a preview can be made with, those of the zone first. */
function usePreviewCards(zoneId: string): Worktree[] {
  const shared = useShared();
  const ids = useCards();
  const found = ids.flatMap(id => shared.worktrees.get(id) ?? []).filter(({ state }) => state === 'ready');
  return found.sort((a, b) => Number(b.zoneId === zoneId) - Number(a.zoneId === zoneId) || a.name.localeCompare(b.name));
}

function Move({
  label,
  value,
  zones,
  onPick,
}: {
  label: string;
  value: string | null;
  zones: readonly Placed[];
  onPick: (id: string | null) => void;
}) {
  return (
    <Choice label={label} value={value ?? ''} onPick={id => onPick(id || null)}>
      <option value="">{words.stays}</option>
      {zones.map(({ id, zone }) => (
        <option key={id} value={id}>
          {words.moveTo(zone.name || 'Zone')}
        </option>
      ))}
      {value !== null && !zones.some(({ id }) => id === value) && <option value={value}>{words.goneZone}</option>}
    </Choice>
  );
}

/** What the agent lets a person choose; what is not chosen is the agent's own. */
function Options({
  status,
  policy,
  onPick,
}: {
  status: AgentStatus | undefined;
  policy: ZonePolicy;
  onPick: (options: Record<string, string>) => void;
}) {
  const offered = (status?.options ?? []).filter(({ choices }) => choices.length > 0);
  if (!offered.length) return null;
  const pick = ({ id }: SessionOption, value: string) => {
    const { [id]: _, ...rest } = policy.options;
    onPick(value ? { ...rest, [id]: value } : rest);
  };
  return (
    <div className="agor-columns agor-columns-fit">
      {offered.map(option => (
        <Choice key={option.id} label={option.name} value={policy.options[option.id] ?? ''} onPick={value => pick(option, value)}>
          <option value="">{dialogTexts.choice.unpicked(option.choices.find(({ id }) => id === option.value)?.name ?? option.value)}</option>
          {option.choices.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Choice>
      ))}
    </div>
  );
}
