// A dialog of the page: the browser keeps the focus in it, and Escape closes it.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../text/texts.js";

interface Props {
  title: string;
  name: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, name, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current!.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={dialog} class={name} aria-labelledby={`${name}-title`} onCancel={onClose} onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}>
      <div class="dialog-body">
        <header>
          <h2 id={`${name}-title`}>{title}</h2>
          <button type="button" class="quiet" aria-label={t("closeDialog")} onClick={onClose}>×</button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
