// What goes with a prompt that is being written: pasted or dropped pictures, and texts that are too long for the box.
import { type ClipboardEvent, type DragEvent, useRef, useState } from 'react';

import type { Attachment } from '../../protocol/generated.js';
import { attachments, newKey } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { useApp } from '../context.js';
import { shrink } from './picture.js';

/** Characters, as the server has them: a longer text that is pasted becomes a file. */
export const LONG_TEXT = 20_000;
const MAX_BYTES = 10 * 1024 * 1024;

export interface Draft {
  readonly key: string;
  readonly name: string;
  /** `null`: it is on its way to the server. */
  readonly attachment: Attachment | null;
  /** A local address of a picture, to show it at once. */
  readonly preview: string | null;
}

/** By session, so that another one can be looked at meanwhile. As long as the page. */
const drafts = new Map<string, readonly Draft[]>();

export interface Attachments {
  readonly list: readonly Draft[];
  readonly ids: readonly string[];
  readonly isBusy: boolean;
  readonly problem: string | null;
  /** Of the prompt box: takes pictures and long texts, and leaves the rest to the browser. */
  paste(event: ClipboardEvent): void;
  drop(event: DragEvent): void;
  dragOver(event: DragEvent): void;
  remove(key: string): void;
  clear(): void;
}

/** `refusal` says why the agent takes no pictures; `null` where it does. `changed` is told of each change. */
export function useAttachments(sessionId: string, worktreeId: string, refusal: string | null, changed: () => void): Attachments {
  const { client } = useApp();
  const [, draw] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  const numbers = useRef(0);
  const list = drafts.get(sessionId) ?? [];

  const set = (next: (before: readonly Draft[]) => readonly Draft[]) => {
    drafts.set(sessionId, next(drafts.get(sessionId) ?? []));
    draw(count => count + 1);
    changed();
  };
  const remove = (key: string) =>
    set(before => {
      const preview = before.find(one => one.key === key)?.preview;
      if (preview) URL.revokeObjectURL(preview);
      return before.filter(one => one.key !== key);
    });
  const add = async (name: string, content: Blob, isPicture: boolean): Promise<void> => {
    const key = newKey();
    setProblem(null);
    set(before => [...before, { key, name, attachment: null, preview: isPicture ? URL.createObjectURL(content) : null }]);
    try {
      const wanted = isPicture ? await shrink(content) : content;
      if (wanted.size > MAX_BYTES) throw new Error(dialogTexts.attach.tooLarge(name, wanted.size));
      const attachment = await attachments.add(client, worktreeId, { name, data: await base64(wanted) }, key);
      set(before => before.map(one => (one.key === key ? { ...one, attachment } : one)));
    } catch (error) {
      remove(key);
      setProblem(error instanceof Error && error.message ? error.message : dialogTexts.attach.unreadable(name));
    }
  };
  const take = (files: readonly File[]) => {
    for (const file of files) {
      const isPicture = file.type.startsWith('image/') && file.type !== 'image/svg+xml';
      if (isPicture && refusal) setProblem(refusal);
      else void add(file.name || dialogTexts.attach.picture, file, isPicture);
    }
  };

  return {
    list,
    ids: list.flatMap(one => (one.attachment ? [one.attachment.id] : [])),
    isBusy: list.some(one => !one.attachment),
    problem,
    paste: event => {
      const files = [...event.clipboardData.files];
      const text = event.clipboardData.getData('text/plain');
      if (files.length && !text) {
        event.preventDefault();
        take(files);
      } else if (text.length > LONG_TEXT) {
        event.preventDefault();
        numbers.current += 1;
        void add(dialogTexts.attach.pasted(numbers.current), new Blob([text], { type: 'text/plain' }), false);
      }
    },
    dragOver: event => {
      if (event.dataTransfer.types.includes('Files')) event.preventDefault();
    },
    drop: event => {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      event.stopPropagation();
      take([...event.dataTransfer.files]);
    },
    remove,
    clear: () => {
      for (const { preview } of drafts.get(sessionId) ?? []) if (preview) URL.revokeObjectURL(preview);
      setProblem(null);
      set(() => []);
    },
  };
}

/** For a box whose prompt cannot have pictures yet: it says so, instead of doing nothing. */
export function useTextOnly(): { refusal: string | null; paste(event: ClipboardEvent): void } {
  const [refusal, setRefusal] = useState<string | null>(null);
  return {
    refusal,
    paste: ({ clipboardData }) => setRefusal(clipboardData.files.length && !clipboardData.getData('text/plain') ? dialogTexts.attach.later : null),
  };
}

function base64(content: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error ?? new Error());
    reader.readAsDataURL(content);
  });
}
