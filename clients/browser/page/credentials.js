// The key of this page: a client secret, which expires, made with an API key that the user enters and that is not kept.

import { text } from "./texts.js";

const STORED = "vivavoce.secret";
const LIFETIME_SECONDS = 7200;
const MARGIN_SECONDS = 30;

const dialog = document.querySelector("#key-dialog");

let needed = null;

/** Ask the server, once, whether it needs keys; throws what a user can do about a refusal. */
async function keysAreNeeded() {
  let response;
  try {
    response = await fetch("v1/cluster/auth");
  } catch {
    throw new Error(text("unreachable"));
  }
  if (!response.ok) throw new Error(text("refused", { message: await errorOf(response) }));
  return (await response.json()).auth;
}

/** Return the message of an error response. */
export async function errorOf(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `HTTP ${response.status}`;
  }
}

/** Return a client secret, for which the user is asked if there is none; empty if the server needs no key. */
export async function key() {
  needed ??= await keysAreNeeded();
  if (!needed) return "";
  const stored = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
  if (stored && stored.expires > Date.now() / 1000 + MARGIN_SECONDS) return stored.value;
  return ask();
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
        error.textContent = refusal.message;
      }
    }, { signal: listeners.signal });
    dialog.addEventListener("close", () => {
      listeners.abort();
      reject(new Error(text("keyNeeded")));
    }, { signal: listeners.signal });
  });
}

async function makeSecret(apiKey) {
  const response = await fetch("v1/realtime/client_secrets", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ expires_after: { seconds: LIFETIME_SECONDS } }),
  });
  if (!response.ok) throw new Error(await errorOf(response));
  const { value, expires_at: expires } = await response.json();
  sessionStorage.setItem(STORED, JSON.stringify({ value, expires }));
  return value;
}
