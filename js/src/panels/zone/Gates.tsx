// What has to pass before or after the prompt of a zone.
import type { Gate } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { Icon, IconButton } from '../common/Icon.js';

const words = dialogTexts.zone.dialog;
const MOST = 4;

interface Props {
  gates: readonly Gate[];
  isReadOnly: boolean;
  /** `isTyping`: a text that is not done yet. */
  onChange: (gates: Gate[], isTyping?: boolean) => void;
  onLeave: () => void;
}

export function Gates({ gates, isReadOnly, onChange, onLeave }: Props) {
  const change = (index: number, fields: Partial<Gate>, isTyping = false) =>
    onChange(
      gates.map((gate, i) => (i === index ? { ...gate, ...fields } : gate)),
      isTyping,
    );
  return (
    <div className="agor-field" role="group" aria-label={words.gates}>
      <span className="agor-field-name">{words.gates}</span>
      {gates.map((gate, index) => (
        <div key={index} className="agor-gate">
          <div className="agor-row">
            <select
              className="agor-select agor-fit"
              aria-label={words.gateKind(index + 1)}
              value={gate.kind}
              onChange={event => change(index, { kind: event.target.value as Gate['kind'] })}
            >
              {(['command', 'notebook', 'function'] as const).map(kind => (
                <option key={kind} value={kind}>
                  {words.gateKinds[kind]}
                </option>
              ))}
            </select>
            <input
              className="agor-input agor-mono agor-grow"
              aria-label={words.gate(index + 1)}
              value={gate.run}
              spellCheck={false}
              placeholder={words.gatePlaceholders[gate.kind]}
              onChange={event => change(index, { run: event.target.value }, true)}
              onBlur={onLeave}
            />
            {!isReadOnly && (
              <IconButton icon="close" label={words.removeGate(index + 1)} onClick={() => onChange(gates.filter((_, i) => i !== index))} />
            )}
          </div>
          <div className="agor-row">
            <span className="agor-advice agor-grow">{words.gateHints[gate.kind]}</span>
            <select
              className="agor-select agor-fit"
              aria-label={words.gateWhen(index + 1)}
              value={gate.when}
              onChange={event => change(index, { when: event.target.value as Gate['when'] })}
            >
              {(['before', 'after'] as const).map(when => (
                <option key={when} value={when}>
                  {words.whens[when]}
                </option>
              ))}
            </select>
          </div>
        </div>
      ))}
      {!gates.length && <span className="agor-advice">{words.noGates}</span>}
      {!isReadOnly && gates.length < MOST && (
        <button
          type="button"
          className="agor-btn agor-sm agor-start"
          onClick={() => onChange([...gates, { kind: 'command', run: '', when: 'after' }], true)}
        >
          <Icon name="plus" size={14} />
          {words.addGate}
        </button>
      )}
    </div>
  );
}
