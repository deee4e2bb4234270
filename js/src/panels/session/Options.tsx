// The model, the mode and what else an agent lets a person choose, for a session that is there.
import type { Session, SessionOption } from '../../protocol/generated.js';
import type { BoardState } from '../../store/types.js';
import { dialogTexts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { MenuButton, type MenuItem } from '../common/Menu.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { agentLabel, canSteer, useApp, useCommand, useShared } from '../context.js';

const BUSY = new Set<Session['state']>(['starting', 'running', 'needs_you', 'stopping']);

/** What the session's agent offers: as it said itself, else as it said last on this server. */
export const offered = (session: Session, shared: BoardState): readonly SessionOption[] =>
  session.options.length ? session.options : (shared.agents.get(session.agent)?.options ?? []);

export const nameOf = (option: SessionOption, value: string): string => {
  const name = option.choices.find(choice => choice.id === value)?.name ?? value;
  return isSwitch(option) ? (value === 'true' ? dialogTexts.options.on : dialogTexts.options.off) : name;
};

const isSwitch = ({ choices }: SessionOption): boolean => choices.length === 2 && choices.every(({ id }) => id === 'true' || id === 'false');

export function SessionOptions({ session }: { session: Session }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const label = agentLabel(shared, session.agent);
  const options = offered(session, shared).filter(({ choices }) => choices.length > 0);
  if (!options.length) return <span className="agor-t2 agor-ell">{label}</span>;
  const isBusy = BUSY.has(session.state);
  const chosenOf = (option: SessionOption) => session.chosen[option.id] ?? option.value;
  const reason = canSteer(shared) ? null : dialogTexts.options.viewer;
  const itemsOf = (option: SessionOption, section?: string): MenuItem[] =>
    option.choices.map(choice => ({
      id: `${option.id}/${choice.id}`,
      label: isSwitch(option) ? nameOf(option, choice.id) : choice.name,
      detail: choice.description,
      isChecked: choice.id === chosenOf(option),
      ...(section ? { section } : {}),
      run: () => {
        if (choice.id !== chosenOf(option)) void run(() => commands.changeSession(session.id, { options: { [option.id]: choice.id } }));
      },
    }));
  const main = options.filter(({ id }) => id === 'model' || id === 'mode');
  main.sort((a, b) => Number(a.id === 'mode') - Number(b.id === 'mode'));
  const others = options.filter(option => !main.includes(option));
  const isNext = shared.agents.get(session.agent)?.agent.quirks.setsBetweenTurns === true;
  const note = isBusy ? (isNext ? dialogTexts.options.next(label) : dialogTexts.options.running(label)) : null;
  const isLater = isBusy && options.some(option => session.chosen[option.id] !== undefined && session.chosen[option.id] !== option.value);
  return (
    <div className="agor-options">
      {main.map(option => (
        <MenuButton
          key={option.id}
          className="agor-sel"
          label={dialogTexts.options.choose(dialogTexts.options.names[option.id] ?? option.name, nameOf(option, chosenOf(option)))}
          items={itemsOf(option)}
          note={note}
          reason={reason}
          isDisabled={isRunning}
        >
          <span className="agor-ell">{visible(nameOf(option, chosenOf(option)))}</span>
          <Icon name="down" size={12} />
        </MenuButton>
      ))}
      {others.length > 0 && (
        <MenuButton
          className="agor-ib agor-sm"
          label={dialogTexts.options.more}
          items={others.flatMap(option => itemsOf(option, option.name))}
          note={note}
          reason={reason}
          isDisabled={isRunning}
        >
          <Icon name="settings" />
        </MenuButton>
      )}
      {isLater && (
        <span className="agor-xs agor-t3" role="status">
          {dialogTexts.options.nextTurn}
        </span>
      )}
      <Problem text={problem} />
    </div>
  );
}
