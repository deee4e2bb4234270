// What a person prompted. It has no scroll box of its own: a long one shows its beginning, and all of it on a press.
import { useState } from 'react';

import { dialogTexts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { Markdown } from './Markdown.js';

const LINES = 16;
const CHARACTERS = 1600;

export function Prompt({ text }: { text: string }) {
  const [isOpen, setOpen] = useState(false);
  const lines = text.trim().split('\n').length;
  const isLong = lines > LINES || text.length > CHARACTERS;
  return (
    <>
      <div className={isLong && !isOpen ? 'agor-beginning' : undefined} onFocus={() => setOpen(true)}>
        <Markdown text={text} />
      </div>
      {isLong && (
        <button type="button" className="agor-fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? 'down' : 'right'} size={12} />
          <span>{isOpen ? dialogTexts.transcript.promptLess : dialogTexts.transcript.promptWhole(lines, text.length)}</span>
        </button>
      )}
    </>
  );
}
