// The page: views, the state of the connection, languages and voices, and the last events of the server.

import { endpoint } from "../vivavoce.js";
import { setUpCaptions } from "./captions.js";
import { authorization, key, request } from "./credentials.js";
import { errorOf, explain, whyNoSession } from "./failures.js";
import { setUpRecording } from "./recording.js";
import { setUpSpeak } from "./speak.js";
import { setUpTalk } from "./talk.js";
import { LOCALES, currentLocale, languageName, setText, text, translatePage } from "./texts.js";

const VIEWS = ["captions", "recording", "speak", "talk"];

/** Events of the server that are shown. */
const MAX_EVENTS = 100;

/** Characters of an event that are shown: audio is long. */
const MAX_EVENT = 400;

const find = (selector) => document.querySelector(selector);

/**
 * What the views share.
 * @typedef {typeof shell} Shell
 */
const shell = {
  server: { key, url: new URL(".", document.baseURI) },
  /** Return the handlers of the session of a view. */
  handlers: (view) => ({
    onState: (state) => showState(view, state),
    onError: (error) => shell.alert(explain(error)),
    onEvent: log,
  }),
  select,
  /** Run an action of the user, and show why it failed. */
  async attempt(action) {
    shell.alert("");
    try {
      await action();
    } catch (error) {
      shell.alert(error.code === "no_session" ? await whyNoSession(shell.server) : explain(error));
    }
  },
  alert(message) {
    find("#alert").textContent = message;
    find("#alert").hidden = !message;
  },
  /** Show how many seconds the captions are behind; nothing for NaN. */
  showLag(seconds) {
    find("#lag").textContent = Number.isNaN(seconds) ? "" : text("lag", { s: Math.max(0, seconds).toFixed(1) });
  },
  /** Return the voice that is chosen, and its model. */
  voice(selection) {
    const { dataset, value } = selection.selectedOptions[0] ?? { dataset: {}, value: "" };
    return { voice: value, model: dataset.model };
  },
};

const states = new Map();

/** Show the state of the session that was opened last of those that are not closed. */
function showState(view, state) {
  states.delete(view);
  if (state !== "closed") states.set(view, state);
  const shown = [...states.values()].at(-1) ?? "closed";
  find("#state").dataset.state = shown;
  setText(find("#state"), shown);
}

const shown = [];

function log(event) {
  shown.push(JSON.stringify(event).slice(0, MAX_EVENT));
  if (shown.length > MAX_EVENTS) shown.shift();
  if (find("#events").open) find("#events-log").textContent = shown.join("\n");
}

function select(view) {
  for (const each of VIEWS) {
    const selected = each === view;
    find(`#${each}`).hidden = !selected;
    const tab = find(`#tab-${each}`);
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
  }
}

/** Show a view, and make it that of the address. */
function visit(view) {
  select(view);
  shell.alert("");
  history.replaceState(null, "", `#${view}`);
}

function setUpTabs() {
  for (const [index, view] of VIEWS.entries()) {
    const tab = find(`#tab-${view}`);
    tab.addEventListener("click", () => visit(view));
    tab.addEventListener("keydown", ({ key: pressed }) => {
      const step = { ArrowRight: 1, ArrowLeft: VIEWS.length - 1 }[pressed];
      if (!step) return;
      const next = VIEWS[(index + step) % VIEWS.length];
      visit(next);
      find(`#tab-${next}`).focus();
    });
  }
  const named = location.hash.slice(1);
  select(VIEWS.includes(named) ? named : "captions");
}

function setUpLocales() {
  const locales = find("#locale");
  locales.replaceChildren(...LOCALES.map((code) => new Option(new Intl.DisplayNames([code], { type: "language" }).of(code), code)));
  locales.value = currentLocale();
  locales.addEventListener("change", () => {
    translatePage(locales.value);
    nameLanguages();
  });
}

function nameLanguages() {
  for (const option of document.querySelectorAll(".languages option[value]:not([value=''])")) {
    option.textContent = languageName(option.value);
  }
}

async function get(path) {
  const response = await request(endpoint(shell.server, path), { headers: await authorization() });
  if (!response.ok) throw await errorOf(response);
  return response.json();
}

/** Offer the languages of the default recognizer and the voices of this server. */
async function fillChoices() {
  const { data: models } = await get("v1/models?task=automatic-speech-recognition");
  const languages = models[0]?.language ?? [];
  const byName = languages.toSorted((one, other) => languageName(one).localeCompare(languageName(other)));
  for (const selection of document.querySelectorAll(".languages")) {
    const detect = new Option("", "");
    setText(detect, "detect");
    selection.replaceChildren(detect, ...byName.map((code) => new Option(languageName(code), code)));
  }
  const { data: voices } = await get("v1/audio/voices");
  for (const selection of document.querySelectorAll(".voices")) {
    const usual = new Option("", "");
    setText(usual, "defaultVoice");
    selection.replaceChildren(usual, ...voices.map(({ id, model, languages: spoken }) => {
      const option = new Option(spoken?.length === 1 ? `${id} (${languageName(spoken[0])})` : id, id);
      option.dataset.model = model;
      return option;
    }));
  }
}

translatePage();
setUpLocales();
setUpTabs();
showState("", "closed");
setUpCaptions(shell);
setUpRecording(shell);
setUpSpeak(shell);
setUpTalk(shell);
find("#events").addEventListener("toggle", () => (find("#events-log").textContent = shown.join("\n")));
shell.attempt(fillChoices);
