// What is being typed is kept in this tab until it is sent or given up: closing what it is typed in throws nothing away.
import { useState } from 'react';

const PREFIX = 'agor:draft:';

export function readDraft(key: string): string {
  return sessionStorage.getItem(PREFIX + key) ?? '';
}

export function writeDraft(key: string, text: string): void {
  if (text) sessionStorage.setItem(PREFIX + key, text);
  else sessionStorage.removeItem(PREFIX + key);
}

/** The fields of a form. What `first` says already goes before what was kept. */
export function useDraft<T extends Readonly<Record<string, string>>>(
  key: string,
  first: T,
): { values: T; set: (change: Partial<T>) => void; forget: () => void } {
  const [values, setValues] = useState(() => ({ ...first, ...kept(key, first) }));
  return {
    values,
    set: change => {
      const next = { ...values, ...change };
      setValues(next);
      writeDraft(key, Object.values(next).some(text => text !== '') ? JSON.stringify(next) : '');
    },
    forget: () => writeDraft(key, ''),
  };
}

function kept<T extends Readonly<Record<string, string>>>(key: string, first: T): Partial<T> {
  try {
    const found: unknown = JSON.parse(readDraft(key) || '{}');
    const fields = Object.entries(typeof found === 'object' && found !== null ? found : {});
    return Object.fromEntries(fields.filter(([name, text]) => name in first && first[name] === '' && typeof text === 'string')) as Partial<T>;
  } catch {
    return {};
  }
}
