// The steps of a conversation, which are the same for every client for Node that passes on the protocol's events.
import { expect, sleep, speak, until } from "./reporting.mjs";

/** The tool of all conversations, as the protocol has it. */
export const WEATHER = {
  name: "get_weather",
  description: "Get the weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

/** Return the text of the last item of a response, as in `response.done`. */
export const textOf = (response) =>
  (response?.output?.at(-1)?.content ?? []).map((part) => part.transcript ?? part.text ?? "").join("");

/**
 * A conversation and what the client has told of it, which its program fills in. `send` takes a frame of PCM16 at 24
 * kHz. `interruptions` counts what the client stops its playback for.
 */
export class Conversation {
  audioBytes = 0;
  interruptions = 0;
  calls = []; // arguments of the tool
  responses = []; // of `response.done`
  errors = [];

  constructor(send) {
    this.send = send;
  }

  say = (name, speed) => speak(name, this.send, speed);

  /** Run the tool. */
  weather = (input) => {
    this.calls.push(input);
    return "Sunny and warm.";
  };

  /** Wait for so many more responses than there were and return them. */
  async responded(since, count = 1) {
    await until(() => this.responses.length >= since + count, `response ${since + count}`, 30);
    return this.responses.slice(since);
  }

  /** Say "turn" and wait for the first audio of the answer. */
  async answering(name = "turn") {
    const audio = this.audioBytes;
    await this.say(name);
    await until(() => this.audioBytes > audio, "audio of the answer");
  }

  turn = async () => {
    const [since, audio] = [this.responses.length, this.audioBytes];
    await this.say("turn");
    const [response] = await this.responded(since);
    expect(/^You said: the garden.*yellow flowers/i.test(textOf(response)), JSON.stringify(response));
    expect(this.audioBytes - audio > 48_000, `${this.audioBytes - audio} bytes of audio`);
  };

  secondTurn = async () => {
    const since = this.responses.length;
    await this.say("second");
    const [response] = await this.responded(since);
    expect(/before that you said: the garden/i.test(textOf(response)), JSON.stringify(response));
  };

  tool = async () => {
    const since = this.responses.length;
    await this.say("tool");
    const [, response] = await this.responded(since, 2);
    expect(this.calls.length === 1 && this.calls[0].city === "sample", JSON.stringify(this.calls));
    expect(textOf(response).includes("Sunny and warm."), JSON.stringify(response));
  };

  bargeIn = async () => {
    const since = this.responses.length;
    await this.answering("long");
    await sleep(1.5);
    const interruptions = this.interruptions;
    await this.say("interruption", 1);
    const [interrupted, response] = await this.responded(since, 2);
    expect(interrupted.status === "cancelled", JSON.stringify(interrupted));
    expect(this.interruptions > interruptions, "the client saw no interruption");
    expect(textOf(response).includes("Stop now"), JSON.stringify(response));
  };

  falseAlarm = async () => {
    const since = this.responses.length;
    await this.answering();
    const interruptions = this.interruptions;
    await this.say("noise", 1);
    const [response] = await this.responded(since);
    expect(response.status === "completed" && this.interruptions === interruptions, JSON.stringify(response));
    expect(/^You said: the garden/i.test(textOf(response)), JSON.stringify(response));
  };

  nod = async () => {
    const since = this.responses.length;
    await this.answering();
    await sleep(1);
    await this.say("nod", 1);
    const parts = (await this.responded(since, 2)).map(textOf);
    expect(/^You said: the garden.*before that you said/i.test(parts.join(" ")), parts.join("|"));
    expect(!parts.at(-1).includes("Okay"), parts.join("|"));
  };

  noErrors = () => expect(this.errors.length === 0, JSON.stringify(this.errors));

  /** The checks of all steps. */
  get steps() {
    return {
      turn: this.turn,
      "second turn": this.secondTurn,
      tool: this.tool,
      "false alarm": this.falseAlarm,
      nod: this.nod,
      "barge-in": this.bargeIn,
      errors: this.noErrors,
    };
  }
}
