// How large things are, and the way back to all of them.
import type { ReactNode } from 'react';

import { Icon } from './Icon';

interface Props {
  readonly percent: number;
  zoomBy(factor: number): void;
  fit(): void;
  reset(): void;
}

export function Zoomer({ percent, zoomBy, fit, reset }: Props): ReactNode {
  return (
    <div className="agor-zoomer" role="toolbar" aria-label="Zoom">
      <button type="button" className="agor-ib agor-sm" aria-label="Zoom out" title="Zoom out  −" onClick={() => zoomBy(0.8)}>
        <Icon name="minus" />
      </button>
      <button type="button" className="agor-percent" aria-label={`Zoom ${percent} %. Back to 100 %`} title="100 %  0" onClick={reset}>
        {percent}%
      </button>
      <button type="button" className="agor-ib agor-sm" aria-label="Zoom in" title="Zoom in  +" onClick={() => zoomBy(1.25)}>
        <Icon name="plus" />
      </button>
      <button type="button" className="agor-ib agor-sm" aria-label="Fit board" title="Fit board  Shift 1" onClick={fit}>
        <Icon name="fit" />
      </button>
    </div>
  );
}
