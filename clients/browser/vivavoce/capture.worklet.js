// Samples of the first input, mixed to one channel, as PCM16 in frames of 40 ms, with the peak of each frame.

class Capture extends AudioWorkletProcessor {
  #frame = new Int16Array(Math.round(sampleRate / 25));
  #filled = 0;
  #peak = 0;

  process([[samples]]) {
    for (const sample of samples ?? []) {
      const bounded = Math.max(-1, Math.min(1, sample));
      this.#peak = Math.max(this.#peak, Math.abs(bounded));
      this.#frame[this.#filled++] = bounded * 32767;
      if (this.#filled === this.#frame.length) this.#send();
    }
    return true;
  }

  #send() {
    const pcm = this.#frame.slice().buffer;
    this.port.postMessage({ pcm, peak: this.#peak }, [pcm]);
    this.#filled = 0;
    this.#peak = 0;
  }
}

registerProcessor("vivavoce-capture", Capture);
