// What the build and the browser give that no type says.

/** Where the worker's file is, relative to the page. */
declare const WORKER_URL: string;

interface Window {
  trustedTypes?: {
    createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
  };
}
