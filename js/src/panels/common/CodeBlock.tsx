import { memo, useEffect, useState } from 'react';

import { dialogTexts } from '../../texts';
import { Icon } from './Icon.js';
import { visible } from './safe.js';

export const CodeBlock = memo(function CodeBlock({ language, text }: { language: string; text: string }) {
  return (
    <div className="agor-code">
      <div className="agor-code-head">
        <span>{language || dialogTexts.transcript.code}</span>
        <CopyButton text={text} />
      </div>
      <pre tabIndex={0}>
        <code>{visible(text)}</code>
      </pre>
    </div>
  );
});

export function CopyButton({ text, label = dialogTexts.transcript.copy }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = () =>
    void navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    );
  return (
    <button type="button" className="agor-ib agor-sm" onClick={copy} aria-label={isCopied ? dialogTexts.transcript.copied : label} title={label}>
      <Icon name={isCopied ? 'check' : 'copy'} size={12} />
    </button>
  );
}
