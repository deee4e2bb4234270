// The fields that several dialogs are made of.
import { type ReactNode, useEffect, useId, useState } from 'react';

import { Field } from './Dialog.js';
import { visible } from './safe.js';

export function Choice({ label, value, onPick, children }: { label: string; value: string; onPick: (value: string) => void; children: ReactNode }) {
  return (
    <Field label={label}>
      {id => (
        <select id={id} className="agor-select" value={value} onChange={event => onPick(event.target.value)}>
          {children}
        </select>
      )}
    </Field>
  );
}

interface PickProps<K extends string> {
  label: string;
  value: NoInfer<K> | string;
  options: Readonly<Partial<Record<K, string>>>;
  hint?: string | undefined;
  onPick: (value: K) => void;
}

/** One of these, by what each is called. */
export function Pick<K extends string>({ label, value, options, hint, onPick }: PickProps<K>) {
  return (
    <Field label={label} hint={hint}>
      {id => (
        <select id={id} className="agor-select" value={value} onChange={event => onPick(event.target.value as K)}>
          {Object.entries(options).map(([one, text]) => (
            <option key={one} value={one}>
              {visible(String(text))}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface SegmentsProps<K extends string> {
  label: string;
  value: K;
  options: Readonly<Record<K, string>>;
  hint?: string | undefined;
  onPick: (value: K) => void;
}

/** As `Pick`, for two or three that are seen side by side. */
export function Segments<K extends string>({ label, value, options, hint, onPick }: SegmentsProps<K>) {
  const id = useId();
  return (
    <div className="agor-field" role="radiogroup" aria-labelledby={id}>
      <span id={id} className="agor-field-name">
        {label}
      </span>
      <span className="agor-segmented agor-segmented-field">
        {(Object.keys(options) as K[]).map(one => (
          <label key={one} data-chosen={value === one || undefined}>
            <input type="radio" name={id} checked={value === one} onChange={() => onPick(one)} />
            {options[one]}
          </label>
        ))}
      </span>
      {hint && (
        <span className="agor-advice" role="status">
          {hint}
        </span>
      )}
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string | undefined;
  problem?: string | undefined;
  placeholder?: string;
  isNumber?: boolean;
  isCode?: boolean;
  isFirst?: boolean;
}

export function Text({ label, value, onChange, hint, problem, placeholder, isNumber = false, isCode = false, isFirst = false }: TextProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {id => (
        <input
          id={id}
          className={`agor-input${isCode ? ' agor-mono' : ''}`}
          inputMode={isNumber ? 'decimal' : undefined}
          autoComplete="off"
          spellCheck={!isCode}
          data-autofocus={isFirst || undefined}
          value={value}
          placeholder={placeholder}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface NumberProps {
  label: string;
  placeholder: string;
  problem: string;
  value: number | null;
  isValid: (value: number) => boolean;
  onChange: (value: number | null) => void;
  onLeave: () => void;
}

/** Empty means none. What is no number is not taken, and says so. */
export function NumberField({ label, placeholder, problem, value, isValid, onChange, onLeave }: NumberProps) {
  const [text, setText] = useState(value === null ? '' : String(value));
  const [isBad, setBad] = useState(false);
  useEffect(() => {
    if (!isBad && (text === '' ? null : Number(text)) !== value) setText(value === null ? '' : String(value));
  }, [value]);
  const change = (next: string) => {
    setText(next);
    const number = next.trim() === '' ? null : Number(next);
    const isFine = number === null || (Number.isFinite(number) && isValid(number));
    setBad(!isFine);
    if (isFine) onChange(number);
  };
  return (
    <Field label={label} problem={isBad ? problem : undefined}>
      {id => (
        <input
          id={id}
          className="agor-input"
          inputMode="decimal"
          autoComplete="off"
          value={text}
          placeholder={placeholder}
          aria-invalid={isBad || undefined}
          onChange={event => change(event.target.value)}
          onBlur={onLeave}
        />
      )}
    </Field>
  );
}

export function Switch({ label, hint, isOn, onChange }: { label: string; hint?: string; isOn: boolean; onChange: (isOn: boolean) => void }) {
  const id = useId();
  return (
    <label className="agor-switch">
      <input
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-checked={isOn}
        aria-describedby={hint ? id : undefined}
        onChange={event => onChange(event.target.checked)}
      />
      <span>{label}</span>
      {hint && (
        <span id={id} className="agor-advice">
          {hint}
        </span>
      )}
    </label>
  );
}
