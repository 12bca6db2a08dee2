// The key of this page: a client secret, which expires, made with an API key that the user enters and that is not kept.

import { errorOf, explain } from "./failures.js";
import { text } from "./texts.js";

const STORED = "vivavoce.secret";
const LIFETIME_SECONDS = 7200;
const MARGIN_SECONDS = 30;

const dialog = document.querySelector("#key-dialog");

let needed = null;

/** The answer of the user that is awaited, if any. @type {Promise<string> | null} */
let asked = null;

/** Ask the server, once, whether it needs keys; throws what a user can do about a refusal. */
async function keysAreNeeded() {
  const response = await request("v1/cluster/auth");
  if (!response.ok) throw new Error(text("refused", { message: (await errorOf(response)).message }));
  return (await response.json()).auth;
}

/** Return a client secret, for which the user is asked if there is none; empty if the server needs no key. */
export async function key() {
  needed ??= await keysAreNeeded();
  if (!needed) return "";
  const stored = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
  if (stored && stored.expires > Date.now() / 1000 + MARGIN_SECONDS && (await isKnown(stored.value))) return stored.value;
  asked ??= ask().finally(() => (asked = null));
  return asked;
}

/** Return whether the server knows a client secret; one that has been restarted knows none of before. */
async function isKnown(secret) {
  const response = await request("v1/models", { headers: { authorization: `Bearer ${secret}` } });
  return response.status !== 401;
}

/** Call an endpoint; throws what a user can do where that cannot be reached. */
export async function request(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Error(text("unreachable"));
  }
}

/** Return the headers with which the page calls HTTP endpoints. */
export async function authorization() {
  const value = await key();
  return value ? { authorization: `Bearer ${value}` } : {};
}

function ask() {
  const form = document.querySelector("#key-form");
  const input = document.querySelector("#key");
  const error = document.querySelector("#key-error");
  error.textContent = input.value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve, reject) => {
    const listeners = new AbortController();
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const value = await makeSecret(input.value);
        listeners.abort();
        dialog.close();
        resolve(value);
      } catch (refusal) {
        error.textContent = explain(refusal);
      }
    }, { signal: listeners.signal });
    dialog.addEventListener("close", () => {
      listeners.abort();
      reject(new Error(text("keyNeeded")));
    }, { signal: listeners.signal });
  });
}

async function makeSecret(apiKey) {
  const response = await request("v1/realtime/client_secrets", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ expires_after: { seconds: LIFETIME_SECONDS } }),
  });
  if (!response.ok) throw await errorOf(response);
  const { value, expires_at: expires } = await response.json();
  sessionStorage.setItem(STORED, JSON.stringify({ value, expires }));
  return value;
}
