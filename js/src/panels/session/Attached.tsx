// What goes with a prompt: in the box while it is written, and in the transcript after it was sent.
import { useEffect, useState } from 'react';

import type { Attachment } from '../../protocol/generated.js';
import { attachments } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { useApp } from '../context.js';
import type { Draft } from './attachments.js';

export function AttachedDrafts({ list, onRemove }: { list: readonly Draft[]; onRemove: (key: string) => void }) {
  if (!list.length) return null;
  return (
    <ul className="agor-attached" aria-label={dialogTexts.attach.list}>
      {list.map(({ key, name, attachment, preview }) => (
        <li key={key} data-state={attachment ? 'ready' : 'sending'}>
          {preview ? <img src={preview} alt="" /> : <Icon name="file" size={14} />}
          <span className="agor-ell">{visible(attachment?.name ?? name)}</span>
          <span className="agor-t3 agor-nowrap">{attachment ? sizeOf(attachment) : dialogTexts.attach.sending}</span>
          <button type="button" className="agor-ib agor-sm" aria-label={dialogTexts.attach.remove(visible(name))} onClick={() => onRemove(key)}>
            <Icon name="close" size={12} />
          </button>
        </li>
      ))}
    </ul>
  );
}

export function AttachedSent({ list, worktreeId }: { list: readonly Attachment[]; worktreeId: string }) {
  if (!list.length) return null;
  return (
    <ul className="agor-attached" aria-label={dialogTexts.attach.list}>
      {list.map(one => (
        <li key={one.id}>
          {one.kind === 'image' ? <Thumbnail attachment={one} worktreeId={worktreeId} /> : <Icon name="file" size={14} />}
          <span className="agor-ell">{visible(one.name)}</span>
          <span className="agor-t3 agor-nowrap">{sizeOf(one)}</span>
        </li>
      ))}
    </ul>
  );
}

/** The server has checked that it is one of four formats that hold no script. */
function Thumbnail({ attachment, worktreeId }: { attachment: Attachment; worktreeId: string }) {
  const { client } = useApp();
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    let isGone = false;
    attachments.content(client, worktreeId, attachment.id).then(
      content => !isGone && setAddress(`data:${content.attachment.mediaType};base64,${content.data}`),
      () => undefined, // the worktree may be gone, and the pictures with it
    );
    return () => {
      isGone = true;
    };
  }, [client, worktreeId, attachment.id]);
  return address ? <img src={address} alt={visible(attachment.name)} /> : <Icon name="file" size={14} />;
}

function sizeOf({ kind, width, height, characters }: Attachment): string {
  return kind === 'image' ? `${width} × ${height}` : dialogTexts.attach.characters(characters ?? 0);
}
