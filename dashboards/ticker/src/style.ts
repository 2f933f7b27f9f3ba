// How the strip looks where the page does not say otherwise: by the custom properties below, or by ::part().

export const STYLE = `
:host { display: block; font: 14px/1.4 system-ui, sans-serif; color: var(--tickwire-text, CanvasText);
  --up: var(--tickwire-up, light-dark(#0a7a43, #3fcf8e)); --down: var(--tickwire-down, light-dark(#c22f2f, #ff7b72));
  --quiet: var(--tickwire-quiet, color-mix(in srgb, currentColor 72%, transparent)); }
ul { display: flex; flex-wrap: wrap; gap: .25em 1.5em; margin: 0; padding: 0; list-style: none; }
li { display: inline-flex; align-items: baseline; gap: .5em; white-space: nowrap; font-variant-numeric: tabular-nums; }
.name, .mark { color: var(--quiet); }
.price { font-weight: 600; }
[data-move=up] .change { color: var(--up); }
[data-move=down] .change { color: var(--down); }
.mark:not(:empty) { font-size: .85em; border: 1px solid; border-radius: 3px; padding: 0 .3em; }
li[data-state]:not([data-state=live]) .price, li[data-state]:not([data-state=live]) .change { color: var(--quiet); }
p { margin: .25em 0 0; color: var(--quiet); font-size: .9em; }
p[hidden] { display: none; }
:host([data-phase=reconnecting]) ul, :host([data-phase=offline]) ul, :host([data-phase=closed]) ul { opacity: .55; }
`;
