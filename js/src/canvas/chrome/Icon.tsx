// An icon of the set, for React.
import type { ReactNode } from 'react';
import type { IconName } from '../../icons';
import { icons, isIcon } from '../../icons';

export function Icon({ name, size = 16 }: { readonly name: IconName | (string & {}); readonly size?: 16 | 14 | 12 }): ReactNode {
  // An unknown name draws nothing.
  const inside = isIcon(name) ? icons[name] : '';
  return (
    <svg
      className={size === 16 ? 'agor-i' : `agor-i agor-s${size}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
      // biome-ignore lint/security/noDangerouslySetInnerHtml: the set is ours and constant
      dangerouslySetInnerHTML={{ __html: inside }}
    />
  );
}
