// An audio worklet that turns the microphone's samples into PCM16 frames of 40 ms at 24 kHz.

class PcmFrames extends AudioWorkletProcessor {
  frame = new Int16Array(960);
  filled = 0;

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.frame[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.filled === this.frame.length) {
        this.port.postMessage(this.frame.slice().buffer);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("pcm-frames", PcmFrames);
