// What stands there before the market does: connecting, no server, no token, no symbols.

import { useSignal } from "@preact/signals";

import { signInReason, stage, start } from "../feed/desk.js";
import { t } from "../text/texts.js";
import { Empty } from "./empty.js";

export function EntryPanel() {
  if (stage.value === "sign-in") return <SignIn />;
  if (stage.value === "gone") return <main class="entry"><Empty isAll title={t("gone")} how={t("goneHow")} command="tickwire demo" /></main>;
  return <main class="entry"><div role="status"><h1 class="empty-title">{t("entering")}</h1></div></main>;
}

function SignIn() {
  const token = useSignal("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token.value.trim() !== "") void start(token.value.trim());
  };
  return (
    <main class="entry">
      <form class="sign-in" onSubmit={submit} autocomplete="off">
        <h1>{t("signIn")}</h1>
        <p>{t("signInHow")}</p>
        <pre tabIndex={0}>tickwire token mint -c tickwire.toml --sub me --ttl 8h --scope 'stream:*' --scope replay</pre>
        <label>{t("token")}
          <input type="password" autocomplete="off" spellcheck={false} autoFocus aria-describedby="token-note" value={token.value} onInput={(event) => (token.value = event.currentTarget.value)} />
        </label>
        <p id="token-note" class="dim">{t("signInNote")}</p>
        <p class="note" role="alert">{signInReason.value}</p>
        <button type="submit" class="primary">{t("enter")}</button>
      </form>
    </main>
  );
}
